#pragma once
// Percentiles of measured times.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/json_writer.hpp"
#include "core/base/sort.hpp"

namespace aetherflow {

/// Collects whole milliseconds; unknown ones (negative) are left out.
class Spread {
 public:
  void add(std::int64_t ms) {
    if (ms >= 0) values_.push_back(ms);
  }

  /// Nearest-rank percentile, `share` in 0–1: the smallest value with at least that share at or below it. −1 when empty.
  std::int64_t percentile(double share) {
    if (values_.empty()) return -1;
    sortItems(values_, std::less<>());
    auto rank = static_cast<std::size_t>(share * static_cast<double>(values_.size()) + 0.9999999);
    if (rank > 0) --rank;
    return values_[std::min(rank, values_.size() - 1)];
  }

  /// {"count","p50","p90","p99","max"}, null where nothing was measured.
  void write(JsonWriter& json) {
    json.beginObject().field("count", static_cast<std::int64_t>(values_.size()));
    json.known("p50", percentile(0.5)).known("p90", percentile(0.9)).known("p99", percentile(0.99));
    json.known("max", percentile(1)).endObject();
  }

 private:
  std::vector<std::int64_t> values_;
};

}  // namespace aetherflow
