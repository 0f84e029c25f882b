#pragma once
// A random table, policy and budget: as the JSON that a run begins with, and as the numbers that a test checks it by.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/rng.hpp"
#include "core/base/vocabulary.hpp"

namespace aetherflow::testing {

struct SettingModel {
  std::string id;
  std::size_t provider = 0, group = 0;
  std::int64_t in = 0, cached = 0, out = 0;  ///< micro-USD per million tokens, the worst case where it is unknown
};

struct SettingProvider {
  std::string id;
  std::uint32_t concurrency = 1;
  std::uint32_t peakPercent = 100, peakDay = 1, peakFrom = 0, peakTo = 0;
};

struct SettingGroup {
  std::array<std::int64_t, kWindows> most{-1, -1, -1, -1};
  std::uint32_t concurrency = 0;
};

struct PolicySetting {
  std::string json;
  std::vector<SettingProvider> providers;
  std::vector<SettingModel> models;
  std::vector<SettingGroup> groups;
  std::uint32_t attempts = 5, hedgePermille = 0;
  std::int64_t maxOpenMs = 60'000, deadlineMs = 0;
  Interrupt interrupt = Interrupt::Restart;
  std::int64_t runUsd = -1, runTokens = -1, stepUsd = -1, stepTokens = -1, attemptUsd = -1, attemptTokens = -1;
  std::string draftUse, draftJudges;  ///< lists of targets, as JSON
  bool audits = false;
  CacheUse cache = CacheUse::Off, cacheRefactoring = CacheUse::Off;
  /// Whether anything is counted in tokens or money from the beginning.
  bool counts() const {
    for (const SettingGroup& group : groups)
      if (group.most[1] >= 0 || group.most[3] >= 0) return true;
    return runUsd >= 0 || runTokens >= 0 || stepUsd >= 0 || stepTokens >= 0 || attemptUsd >= 0 || attemptTokens >= 0;
  }
};

PolicySetting randomSetting(Rng& rng);

}  // namespace aetherflow::testing
