#include "core/plan/step_reader.hpp"

#include <array>
#include <utility>

#include "core/plan/nearest.hpp"
#include "core/plan/place.hpp"

namespace aetherflow {
namespace {

enum Member : int {
  kId,
  kDescription,
  kType,
  kComplexity,
  kEstimatedTokens,
  kDependencies,
  kContext,
  kValidationCriteria,
  kOutput,
  kProvider,
  kPriority,
  kOptional,
  kOnInterrupt,
  kCache,
  kSystem,
  kTemperature,
  kMaxTokens,
  kModel,
  kOutputFile,
  kCheck,
  kTarget,
  kEdit,
  kDraft,
  kForEach,
  kWhen,
  kPattern,
  kPartOf,
  kValues,
  kMembers,
};
constexpr std::array<std::string_view, kMembers> kPlaces = {
    "/id",
    "/description",
    "/type",
    "/complexity",
    "/estimated_tokens",
    "/dependencies",
    "/context",
    "/validation_criteria",
    "/output",
    "/provider",
    "/priority",
    "/optional",
    "/on_interrupt",
    "/cache",
    "/system",
    "/temperature",
    "/max_tokens",
    "/model",
    "/output_file",
    "/check",
    "/target",
    "/edit",
    "/draft",
    "/for_each",
    "/when",
    "/pattern",
    "/part_of",
    "/values",
};

constexpr std::string_view kDocuments = "/context/documents";

/// The last two only a host writes, of what a step spreads into.
int memberOf(std::string_view name, bool parts) {
  for (int i = 0; i < (parts ? kMembers : kPartOf); ++i)
    if (kPlaces[static_cast<std::size_t>(i)].substr(1) == name) return i;
  return -1;
}

std::string itemPlace(std::string_view list, std::size_t item) {
  std::string place(list);
  place += '/';
  place += std::to_string(item);
  return place;
}

constexpr std::int64_t kMostTokens = 10'000'000;
constexpr std::int64_t kMostPriority = 1'000;
constexpr std::uint32_t kDocumentTokens = 2'000;  ///< unless the plan says how many

}  // namespace

void StepReader::read(std::string_view json, StepIndex index, Step& step, std::vector<std::string>& needs) {
  index_ = index;
  model_.clear();
  partOf_.clear();
  inputs_.clear();
  named_ = false;
  MemberNames names;
  bool has[kMembers] = {};
  JsonCursor cursor(json);
  std::string keyScratch;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    const std::string_view name = decodeString(cursor.key(), keyScratch);
    const int known = memberOf(name, parts_);
    const ErrorCode code = names.add(known, name, limits_.members);
    if (code == ErrorCode::PlanTooLarge) return void(fail(code, {}, moreThan(limits_.members, " members")));
    if (code != ErrorCode::None) fail(code, memberPlace(name), quoted(name, " stands twice"));
    if (known >= 0) has[known] = true;
    const JsonCursor before = cursor;
    if (code == ErrorCode::None && member(known, name, cursor, step, needs)) continue;
    if (problems_.tooLarge()) return;
    cursor = before;
    cursor.value();
  }
  joinModel(step);
  // Of a step that spreads it is a pattern for its parts.
  if (named_ && !step.spreads && !isFileName(step.outputFile))
    fail(ErrorCode::PlanWrongType, kPlaces[kOutputFile],
         quoted(step.outputFile, " is no plain file name: letters, digits, '.', '_', '-'; at most 120"));
  if (step.held) appendCompact(step.written, json);
  for (const int required : {kId, kType, kDescription}) {
    const std::string_view place = kPlaces[static_cast<std::size_t>(required)];
    if (!has[required]) fail(ErrorCode::PlanMissing, place, "a step needs " + quoted(place.substr(1)));
  }
}

bool StepReader::member(int known, std::string_view name, JsonCursor& cursor, Step& step,
                        std::vector<std::string>& needs) {
  if (known >= kSystem && known < kDraft) return setting(known, cursor, step);
  const std::string_view tail = known < 0 ? std::string_view() : kPlaces[static_cast<std::size_t>(known)];
  std::int64_t number = 0;
  std::string_view written;
  switch (known) {
    case kId:
      if (!text(cursor, tail, step.id)) return false;
      if (isId(step.id, limits_.idBytes)) return true;
      return fail(ErrorCode::PlanBadId, tail, quoted(step.id, " cannot name a step"));
    case kDescription: return text(cursor, tail, step.description);
    case kType:
      if (!text(cursor, tail, step.typeName)) return false;
      step.type = stepTypeOf(step.typeName);
      if (step.type == StepType::Other) {
        Nearest nearest(step.typeName);
        for (int i = 0; i < kStepTypes - 1; ++i) nearest.offer(aetherflow::name(static_cast<StepType>(i)));
        warnings_.add(ErrorCode::PlanUnknownType, stepPlace(index_, tail),
                      quoted(step.typeName, " is no known type") + nearest.question());
      }
      return true;
    case kComplexity: return decimal(cursor, tail, 1, step.complexity, written);
    case kEstimatedTokens:
      if (!integer(cursor, tail, 0, kMostTokens, number)) return false;
      step.estimatedTokens = static_cast<std::uint32_t>(number);
      return true;
    case kDependencies: return needed(cursor, needs);
    case kContext: return context(cursor, step);
    case kValidationCriteria: return texts(cursor, tail, step.validationCriteria);
    case kOutput: return output(cursor, step);
    case kProvider: return text(cursor, tail, step.provider);
    case kPriority:
      if (!integer(cursor, tail, -kMostPriority, kMostPriority, number)) return false;
      step.priority = static_cast<std::int32_t>(number);
      return true;
    case kOnInterrupt:
    case kCache:
    case kDraft: return word(known, cursor, step);
    case kForEach:
    case kPattern: step.spreads = true; [[fallthrough]];
    case kWhen: {
      step.held = true;
      const std::string_view rule = cursor.value();
      // Items may be objects of any kind.
      if (known == kWhen || rule.front() == '{') inputs(rule);
      return true;
    }
    case kPartOf: return text(cursor, tail, partOf_);
    case kValues: return texts(cursor, tail, step.values);
    case kOptional: return setting(known, cursor, step);
    default: {
      Nearest nearest(name);
      for (int i = 0; i < kPartOf; ++i) nearest.offer(kPlaces[static_cast<std::size_t>(i)].substr(1));
      warnings_.unknownMember("step", name, stepPlace(index_, memberPlace(name)), nearest);
      cursor.value();
      return true;
    }
  }
}

bool StepReader::text(JsonCursor& cursor, std::string_view tail, std::string& out) {
  if (!expect(cursor, '"', tail)) return false;
  out = decodeString(cursor.value(), scratch_);
  return true;
}

/// One word of a short list.
bool StepReader::word(int known, JsonCursor& cursor, Step& step) {
  const std::string_view tail = kPlaces[static_cast<std::size_t>(known)];
  if (!expect(cursor, '"', tail)) return false;
  const std::string_view said = decodeString(cursor.value(), scratch_);
  const auto wrong = [&](const char* expected) { return fail(ErrorCode::PlanWrongType, tail, expected); };
  if (known == kOnInterrupt)
    return (step.onInterrupt = interruptOf(said)) != Interrupt::Count ||
           wrong("expected \"restart\", \"continue\" or \"fail\"");
  if (known == kCache)
    return (step.cache = cacheUseOf(said)) != CacheUse::Count || wrong("expected \"off\", \"exact\" or \"semantic\"");
  return (step.draft = draftUseOf(said)) != DraftUse::Count || wrong("expected \"off\", \"auto\" or \"always\"");
}

/// What a step says of its own calls, of its output's name, and of what its failure means.
bool StepReader::setting(int known, JsonCursor& cursor, Step& step) {
  const std::string_view tail = kPlaces[static_cast<std::size_t>(known)];
  std::int64_t number = 0;
  double value = 0;
  std::string_view written;
  switch (known) {
    case kOptional:
      if (cursor.peek() != 't' && !expect(cursor, 'f', tail)) return false;
      step.optional = cursor.value() == "true";
      return true;
    case kSystem: return text(cursor, tail, step.system);
    case kTemperature:
      // Kept as it is written: it is the provider's to read.
      if (!decimal(cursor, tail, 2, value, written)) return false;
      step.temperature = written;
      return true;
    case kMaxTokens:
      if (!integer(cursor, tail, 1, kMostTokens, number)) return false;
      step.maxTokens = static_cast<std::uint32_t>(number);
      return true;
    case kModel: return text(cursor, tail, model_);
    case kOutputFile: named_ = text(cursor, tail, step.outputFile); return named_;
    default: addPlacing(step, tail.substr(1), cursor.value()); return true;
  }
}

/// `provider` and `model` are one target: "groq" and "x" are "groq/x"; a model alone is looked for at every provider.
void StepReader::joinModel(Step& step) {
  if (model_.empty()) return;
  if (step.provider.find('/') != std::string::npos) {
    fail(ErrorCode::PlanWrongType, kPlaces[kModel], "the provider names a model already");
    return;
  }
  step.provider = step.provider.empty() ? model_ : step.provider + "/" + model_;
}

/// A number of 0 to `most`, also as it is written.
bool StepReader::decimal(JsonCursor& cursor, std::string_view tail, int most, double& out, std::string_view& written) {
  if (!expect(cursor, '0', tail)) return false;
  written = cursor.value();
  out = toDouble(decimalOf(written));
  if (out >= 0 && out <= most) return true;
  return fail(ErrorCode::PlanOutOfRange, tail, shortened(written) + " is not within 0 to " + std::to_string(most));
}

bool StepReader::integer(JsonCursor& cursor, std::string_view tail, std::int64_t least, std::int64_t most,
                         std::int64_t& out) {
  if (!expect(cursor, '0', tail)) return false;
  const std::string_view written = cursor.value();
  if (!toInteger(decimalOf(written), out)) {
    return fail(ErrorCode::PlanWrongType, tail, shortened(written) + " is not a whole number");
  }
  if (out >= least && out <= most) return true;
  return fail(ErrorCode::PlanOutOfRange, tail,
              shortened(written) + " is not within " + std::to_string(least) + " to " + std::to_string(most));
}

bool StepReader::texts(JsonCursor& cursor, std::string_view tail, std::vector<std::string>& out) {
  if (!expect(cursor, '[', tail)) return false;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    if (++listItems_ > limits_.listItems) {
      return fail(ErrorCode::PlanTooLarge, tail,
                  moreThan(limits_.listItems, " list items in the plan (limit listItems)"));
    }
    if (cursor.peek() != '"') return expect(cursor, '"', itemPlace(tail, out.size()));
    out.emplace_back(decodeString(cursor.value(), scratch_));
  }
  return true;
}

bool StepReader::needed(JsonCursor& cursor, std::vector<std::string>& needs) {
  const std::string_view tail = kPlaces[kDependencies];
  if (!expect(cursor, '[', tail)) return false;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    if (needs.size() >= limits_.dependenciesPerStep) {
      return fail(ErrorCode::PlanTooLarge, tail, moreThan(limits_.dependenciesPerStep, " (limit dependenciesPerStep)"));
    }
    if (cursor.peek() != '"') return expect(cursor, '"', itemPlace(tail, needs.size()));
    const std::string_view id = decodeString(cursor.value(), scratch_);
    if (!isId(id, limits_.idBytes)) {
      return fail(ErrorCode::PlanBadId, itemPlace(tail, needs.size()), quoted(id, " cannot name a step"));
    }
    needs.emplace_back(id);
  }
  return true;
}

bool StepReader::context(JsonCursor& cursor, Step& step) {
  if (!expect(cursor, '{', kPlaces[kContext])) return false;
  bool hasFiles = false;
  std::string keyScratch;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    const std::string_view key = cursor.key();
    const std::string_view name = decodeString(key, keyScratch);
    if (name == "files") {
      if (hasFiles) return fail(ErrorCode::PlanDuplicateKey, "/context/files", "\"files\" stands twice");
      hasFiles = true;
      if (!texts(cursor, "/context/files", step.files)) return false;
      continue;
    }
    if (name == "documents") {
      if (step.documentTokens > 0) return fail(ErrorCode::PlanDuplicateKey, kDocuments, "\"documents\" stands twice");
      if (!documents(cursor, step)) return false;
      continue;
    }
    step.context += step.context.empty() ? '{' : ',';
    step.context += key;
    step.context += ':';
    appendCompact(step.context, cursor.value());
  }
  if (!step.context.empty()) step.context += '}';
  return true;
}

bool StepReader::documents(JsonCursor& cursor, Step& step) {
  if (!expect(cursor, '{', kDocuments)) return false;
  step.documentTokens = kDocumentTokens;
  constexpr std::string_view kNames[] = {"query", "paths", "tokens"};
  unsigned seen = 0;
  std::string keyScratch;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    const std::string_view name = decodeString(cursor.key(), keyScratch);
    int known = 2;
    while (known >= 0 && kNames[known] != name) --known;
    const std::string tail = std::string(kDocuments) + memberPlace(name);
    const unsigned bit = known < 0 ? 0u : 1u << known;
    if ((seen & bit) != 0) return fail(ErrorCode::PlanDuplicateKey, tail, quoted(name, " stands twice"));
    seen |= bit;
    if (known == 0) {
      if (!text(cursor, tail, step.query)) return false;
    } else if (known == 1) {
      std::vector<std::string> paths;
      JsonCursor list = cursor;
      if (!texts(list, tail, paths)) return false;
      appendCompact(step.documentPaths, cursor.value());
    } else if (known == 2) {
      std::int64_t number = 0;
      if (!integer(cursor, tail, 1, kMostTokens, number)) return false;
      step.documentTokens = static_cast<std::uint32_t>(number);
    } else {
      Nearest nearest(name);
      for (const std::string_view each : kNames) nearest.offer(each);
      warnings_.unknownMember("context.documents", name, stepPlace(index_, tail), nearest);
      cursor.value();
    }
  }
  return true;
}

bool StepReader::output(JsonCursor& cursor, Step& step) {
  const std::string_view tail = kPlaces[kOutput];
  if (cursor.peek() == '{') {
    step.output = OutputKind::Schema;
    appendCompact(step.schema, cursor.value());
    return true;
  }
  if (!expect(cursor, '"', tail)) return false;
  const std::string_view word = decodeString(cursor.value(), scratch_);
  if (word == "text") {
    step.output = OutputKind::Text;
  } else if (word == "code") {
    step.output = OutputKind::Code;
  } else if (word == "json") {
    step.output = OutputKind::Json;
  } else {
    return fail(ErrorCode::PlanWrongType, tail, quoted(word, R"( is not "code", "json", "text" or a JSON Schema)"));
  }
  return true;
}

/// `first` is the first byte of a value of the kind that is wanted; '0' stands for every number.
bool StepReader::expect(JsonCursor& cursor, char first, std::string_view tail) {
  const char found = cursor.peek();
  if (kindName(found) == kindName(first)) return true;
  return fail(ErrorCode::PlanWrongType, tail,
              "expected " + std::string(kindName(first)) + ", found " + std::string(kindName(found)));
}

bool StepReader::fail(ErrorCode code, std::string_view tail, std::string detail) {
  return problems_.add(code, stepPlace(index_, tail), std::move(detail));
}

}  // namespace aetherflow
