#include "core/prompt/constraint.hpp"

#include "core/base/json.hpp"
#include "core/prompt/code_shape.hpp"
#include "core/prompt/fences.hpp"
#include "core/prompt/schema.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

/// Brackets in prose are tried as the begin of a document, but not without end: "[[[[…" would be quadratic.
constexpr int kTries = 64;

Checked refused(CheckVerdict verdict, std::string_view answer, std::string why) {
  return {verdict, std::string(answer), std::move(why)};
}

/// After the bracket that closes the one at `begin`, or npos. Strings are skipped.
std::size_t balancedEnd(std::string_view s, std::size_t begin) {
  std::size_t depth = 0;
  bool inString = false;
  for (std::size_t i = begin; i < s.size(); ++i) {
    const char c = s[i];
    if (inString) {
      if (c == '\\') ++i;
      if (c == '"') inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::string_view longestJson(std::string_view s) {
  std::string_view best;
  int tries = 0;
  for (std::size_t i = s.find_first_of("{["); i != std::string_view::npos && tries < kTries; ++tries) {
    const std::size_t end = balancedEnd(s, i);
    const bool parses = end != std::string_view::npos && end - i > best.size() && isJson(s.substr(i, end - i));
    if (parses) best = s.substr(i, end - i);
    i = s.find_first_of("{[", parses ? end : i + 1);
  }
  return best;
}

/// The language with most bytes; of equals the one that comes first.
std::string_view mainLanguage(const std::vector<FencedBlock>& blocks) {
  std::vector<std::pair<std::string_view, std::size_t>> totals;  // few: languages, not blocks
  for (const FencedBlock& block : blocks) {
    std::size_t at = 0;
    while (at < totals.size() && totals[at].first != block.language) ++at;
    if (at == totals.size()) totals.emplace_back(block.language, 0);
    totals[at].second += block.body.size();
  }
  auto chosen = totals.begin();
  for (auto at = totals.begin(); at != totals.end(); ++at) {
    if (at->second > chosen->second) chosen = at;
  }
  return chosen->first;
}

Checked checkCode(std::string_view answer) {
  const std::vector<FencedBlock> blocks = fencedBlocks(answer);
  if (!blocks.empty()) {
    // Code may hold fences itself, in a docstring or a template: then the code is what stands around them.
    const Shape around = shapeOf(outsideFences(answer, blocks));
    if (around.code > 2 && around.code > around.prose * 2) return {CheckVerdict::Passed, std::string(answer), {}};
    const std::string_view chosen = mainLanguage(blocks);
    std::string code;
    for (const FencedBlock& block : blocks) {
      if (block.language != chosen || text::trimmed(block.body).empty()) continue;
      if (!code.empty()) code += '\n';
      code += block.body;
    }
    if (code.empty()) return refused(CheckVerdict::Empty, answer, "the fences hold nothing");
    return {CheckVerdict::Extracted, std::move(code), {}};
  }
  if (isProse(answer)) return refused(CheckVerdict::NotCode, answer, "the answer is prose, not code");
  if (const std::size_t leadIn = leadInLength(answer); leadIn != 0) {
    return {CheckVerdict::Extracted, std::string(answer.substr(leadIn)), {}};
  }
  return {CheckVerdict::Passed, std::string(answer), {}};
}

Checked checkJson(OutputKind kind, std::string_view schema, std::string_view answer) {
  const FoundJson found = findJson(answer);
  if (found.text.empty()) return refused(CheckVerdict::NotJson, answer, "the answer holds no well-formed JSON");
  if (kind == OutputKind::Schema && !schema.empty()) {
    if (std::string why = schemaViolation(schema, found.text); !why.empty()) {
      return refused(CheckVerdict::SchemaMismatch, answer, std::move(why));
    }
  }
  return {found.whole ? CheckVerdict::Passed : CheckVerdict::Extracted, std::string(found.text), {}};
}

}  // namespace

FoundJson findJson(std::string_view answer) {
  const std::string_view body = text::trimmed(answer);
  if (isJson(body)) return {body, true};
  for (const FencedBlock& block : fencedBlocks(body)) {
    const std::string_view inside = text::trimmed(block.body);
    if (!inside.empty() && isJson(inside)) return {inside, false};
  }
  return {longestJson(body), false};
}

Checked checkOutput(OutputKind kind, std::string_view schema, std::string_view answer) {
  if (text::trimmed(answer).empty()) return refused(CheckVerdict::Empty, answer, "the answer is empty");
  switch (kind) {
    case OutputKind::Any:
    case OutputKind::Text:
    case OutputKind::Count: break;
    case OutputKind::Code: return checkCode(answer);
    case OutputKind::Json:
    case OutputKind::Schema: return checkJson(kind, schema, answer);
  }
  return {CheckVerdict::Passed, std::string(answer), {}};
}

}  // namespace aetherflow
