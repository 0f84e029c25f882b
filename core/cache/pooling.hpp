#pragma once
// From a model's vectors of word pieces to the one vector of the text.

#include <cstddef>

namespace aetherflow {

/// Mean over `pieces` rows of `dimensions` floats (row-major, no padding among them), brought to unit length; the
/// result takes the place of the first row. False, and nothing changed, without pieces or where the mean is zero or not
/// finite. Summed row after row, so the bits are the same in every build. O(pieces · dimensions).
bool poolMean(float* states, std::size_t pieces, std::size_t dimensions);

}  // namespace aetherflow
