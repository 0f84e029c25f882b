#pragma once
// What the core asks of its host. One fixed-stride record of float64 per command, so that a host decodes a whole batch
// from one view. The fields and which command uses them: base/vocabulary.def, COMMAND_FIELD.

#include <vector>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"

namespace aetherflow {

inline constexpr std::size_t kCommandStride = static_cast<std::size_t>(CommandField::Count);

/// Appends records; every field that is not set is −1.
class CommandBuffer {
 public:
  /// The new record. Borrowed until the next `add`.
  double* add(CommandKind kind) {
    const std::size_t at = values_.size();
    values_.resize(at + kCommandStride, -1.0);
    values_[at] = static_cast<double>(kind);
    return &values_[at];
  }
  std::size_t count() const { return values_.size() / kCommandStride; }
  const double* data() const { return values_.data(); }
  void clear() { values_.clear(); }

 private:
  std::vector<double> values_;
};

/// Sets one field of a record.
inline void set(double* record, CommandField field, double value) {
  record[static_cast<std::size_t>(field)] = value;
}

/// Records of `finish`, `wake`, `deliver` … for tests.
inline double get(const double* record, CommandField field) {
  return record[static_cast<std::size_t>(field)];
}

}  // namespace aetherflow
