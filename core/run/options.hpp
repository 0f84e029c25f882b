#pragma once
// The host's options for a run.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/expected.hpp"
#include "core/plan/plan.hpp"
#include "core/route/table.hpp"

namespace aetherflow {

/// Whether prompts are made for the providers' prompt caches. Off: each in its own layout, at once. Auto: what steps share first, and
/// steps wait for it to be read where that pays. Always: they wait wherever it saves money.
enum class PromptCacheUse : std::uint8_t { Off, Auto, Always };

/// Options of `begin`, as read from JSON:
/// {"mode":"build","seed":1,"available":["groq"],"concurrency":{"groq":4},"table":{…patch…},"strip":true,"optimize":false,"checks":true,
/// "cache":{"analysis":"semantic","*":"exact"},"answers":{"tokens":1500,"share":0.25},"promptCache":"auto"}
struct RunOptions {
  std::string mode = "build";
  std::uint64_t seed = 1;
  bool strip = true;
  bool optimize = false;  ///< look further ahead before a place is given away; see holds.cpp
  bool cached = false;    ///< there is a cache
  PromptCacheUse promptCache = PromptCacheUse::Auto;
  bool checks = false;  ///< the host checks answers of steps that say how, or name their file
  /// Answer lengths that `explain` assumes, for a simulator whose answers are not as long as planned: that many tokens, 0: as
  /// planned; and of a step without an estimate this share of its limit, 0: as planned.
  std::uint32_t answerTokens = 0;
  double answerShare = 0;
  std::array<CacheUse, kStepTypes> cache{};  ///< by StepType, how far it may be used
};

/// The options, and the table with their patch, availability and concurrency in it.
struct BeginOptions {
  RunOptions run;
  Table table;
};

/// Reads the options of `begin`; empty text is {}. Members that are null count as absent, unknown ones are ignored.
/// Fails: options.invalid with the place; route.no_provider when none of the table is available.
Expected<BeginOptions> readBegin(std::string_view json);

}  // namespace aetherflow
