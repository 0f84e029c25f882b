#pragma once
// Shared by the tests of core/plan: reading a text in given cuts, and printing a plan so that two can be compared.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/plan/reader.hpp"

namespace aetherflow {

/// Pushes `text` in pieces of `cut` bytes and ends.
inline void readInPieces(PlanReader& reader, std::string_view text, std::size_t cut) {
  for (std::size_t at = 0; at < text.size(); at += cut) reader.push(text.substr(at, cut));
  reader.end();
}

inline Error errorOf(std::string_view text, const PlanLimits& limits = {}) {
  PlanReader reader(limits);
  readInPieces(reader, text, std::max<std::size_t>(1, text.size()));
  return reader.error();
}

inline std::string print(const Error& error) {
  return std::string(codeName(error.code)) + " at \"" + error.where + "\": " + error.detail + '\n';
}

/// Everything that a reader has to say, as text.
inline std::string print(const PlanReader& reader) {
  const Plan& plan = reader.plan();
  std::string out = print(reader.error()) + plan.taskId + '|' + plan.description + '|' + plan.metadata + '\n';
  for (const Step& step : plan.steps) {
    for (const std::string& text : {step.id, step.description, step.typeName, std::string(name(step.type)), step.schema,
                                    step.provider, step.context, std::to_string(step.complexity)}) {
      out += text + '|';
    }
    for (const std::int64_t number : {std::int64_t{step.estimatedTokens}, std::int64_t{step.priority},
                                      std::int64_t{step.optional}, static_cast<std::int64_t>(step.output)}) {
      out += std::to_string(number) + '|';
    }
    for (const std::string& file : step.files) out += "file " + file + '|';
    if (step.documentTokens > 0) out += "documents " + std::to_string(step.documentTokens) + ' ' + step.query + '|';
    out += step.documentPaths + '|';
    for (const std::string& text : step.validationCriteria) out += "check " + text + '|';
    for (const Dependency& edge : step.dependencies) {
      out += std::to_string(edge.step) + '@' + std::to_string(edge.place) + '|';
    }
    out += '\n';
  }
  for (const Error& warning : plan.warnings) out += print(warning);
  return out;
}

/// `{"task_id":…,"description":…,"steps":[STEPS]}`
inline std::string planOf(std::string_view steps) {
  return R"({"task_id":"t","description":"d","steps":[)" + std::string(steps) + "]}";
}

/// A step with the three members it must have, then `rest`, which begins with a comma or is empty.
inline std::string stepOf(std::string_view id, std::string_view rest = {}) {
  return R"({"id":")" + std::string(id) + R"(","type":"testing","description":"x")" + std::string(rest) + '}';
}

}  // namespace aetherflow
