// libFuzzer target: a plan read in one piece and the same plan read in pieces must come out equal, and what counts as
// JSON must be what nlohmann::json takes for JSON. The first two bytes choose the cuts.
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/plan_reader_fuzz.cpp core/plan/*.cpp
//   core/base/error.cpp

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/plan/graph.hpp"
#include "core/plan/reader.hpp"
#include "core/plan/templates.hpp"

namespace {

using namespace aetherflow;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// Small, so that the fuzzer reaches them.
PlanLimits smallLimits() {
  PlanLimits limits;
  limits.bytes = 4000;
  limits.steps = 12;
  limits.depth = 12;
  limits.stringBytes = 600;
  limits.idBytes = 16;
  limits.dependenciesPerStep = 6;
  limits.dependencies = 24;
  limits.members = 14;
  limits.listItems = 10;
  return limits;
}

void read(PlanReader& reader, std::string_view text, std::uint32_t cut, std::uint32_t grow) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, std::max<std::uint32_t>(1, cut));
    reader.push(piece);
    text.remove_prefix(piece.size());
    cut = cut + grow;
  }
  reader.end();
}

bool sameStep(const Step& a, const Step& b) {
  if (a.dependencies.size() != b.dependencies.size()) return false;
  for (std::size_t i = 0; i < a.dependencies.size(); ++i) {
    if (a.dependencies[i].step != b.dependencies[i].step || a.dependencies[i].place != b.dependencies[i].place)
      return false;
  }
  return a.id == b.id && a.description == b.description && a.typeName == b.typeName && a.complexity == b.complexity &&
         a.estimatedTokens == b.estimatedTokens && a.priority == b.priority && a.optional == b.optional &&
         a.output == b.output && a.schema == b.schema && a.provider == b.provider && a.context == b.context &&
         a.documentTokens == b.documentTokens && a.query == b.query && a.documentPaths == b.documentPaths &&
         a.files == b.files && a.validationCriteria == b.validationCriteria && a.written == b.written &&
         a.spreads == b.spreads && a.held == b.held && a.partOf == b.partOf && a.values == b.values;
}

bool sameError(const Error& a, const Error& b) {
  return a.code == b.code && a.where == b.where && a.detail == b.detail;
}

void requireSame(const PlanReader& a, const PlanReader& b) {
  require(std::equal(a.errors().begin(), a.errors().end(), b.errors().begin(), b.errors().end(), sameError),
          "the same errors in any cuts");
  require(a.offset() == b.offset(), "the same offset in any cuts");
  require(
      std::equal(a.plan().steps.begin(), a.plan().steps.end(), b.plan().steps.begin(), b.plan().steps.end(), sameStep),
      "the same steps in any cuts");
  require(std::equal(a.plan().warnings.begin(), a.plan().warnings.end(), b.plan().warnings.begin(),
                     b.plan().warnings.end(), sameError),
          "the same warnings in any cuts");
  require(a.plan().metadata == b.plan().metadata && a.plan().taskId == b.plan().taskId, "the same top in any cuts");
}

/// Well-formed, not, or not for us to say: nlohmann refuses numbers that overflow a double, takes a zero byte for the
/// end.
enum class JsonWord { Accepts, Refuses, Abstains };

struct Judge : nlohmann::json_sax<nlohmann::json> {
  bool overflow = false;
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    overflow = error.id == 406;
    return false;
  }
};

JsonWord judge(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return JsonWord::Abstains;
  Judge judge;
  if (nlohmann::json::sax_parse(text, &judge)) return JsonWord::Accepts;
  return judge.overflow ? JsonWord::Abstains : JsonWord::Refuses;
}

void requireGraph(const Plan& plan) {
  for (const Step& step : plan.steps) {
    for (const Dependency& edge : step.dependencies) require(edge.step < plan.steps.size(), "a whole plan is resolved");
  }
  const auto order = topologicalOrder(plan, successorsOf(plan));
  require(order.size() == plan.steps.size(), "an order holds every step");
  require(!toDot(plan).empty(), "a drawing");
}

void requirePieces(std::string_view text) {
  std::size_t size = 0;
  TemplatePieces pieces(text);
  for (TemplatePiece piece; pieces.next(piece);) {
    require(!piece.text.empty() && piece.bytes >= piece.text.size(), "no empty piece");
    require(piece.at == size, "pieces follow one another");
    size += piece.bytes;
  }
  require(size == text.size(), "pieces cover the text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint32_t cut = data[0], grow = data[1] % 4u;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);

  PlanReader whole(smallLimits()), pieces(smallLimits()), bytes(smallLimits());
  read(whole, text, 1u << 30, 0);
  read(pieces, text, cut, grow);
  read(bytes, text, 1, 0);
  requireSame(whole, pieces);
  requireSame(whole, bytes);
  if (!whole.error()) {
    requireGraph(whole.plan());
    // Another text brings parts: the same one is full of ids that are known, and may name itself as a part.
    whole.again();
    pieces.again();
    read(whole, text, 1u << 30, 0);
    read(pieces, text, cut, grow);
    requireSame(whole, pieces);
  }

  PlanReader roomy;
  read(roomy, text, 1u << 30, 0);
  const JsonWord verdict = judge(text);
  if (verdict != JsonWord::Abstains) {
    require((roomy.error().code == ErrorCode::JsonMalformed) == (verdict == JsonWord::Refuses),
            "the same notion of JSON");
  }
  requirePieces(text);
  return 0;
}
