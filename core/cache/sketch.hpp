#pragma once
// Which rows cannot reach a score, by two bits a dimension: four times fewer bytes than the codes of the scan, and a
// fifth of its instructions.
//
// A row x keeps q with q_i in {−3, −1, 1, 3}. With α = x·q / |q|² and r = x − α·q, which is at right angles to q,
//     x·y = α·(q·y) + r·y ≤ α·(q·y) + |r|·|y|
// q·y comes from tables of whole numbers, one lookup for two dimensions, sixteen rows at once. |r| is near 0.34 for
// the vectors of language models, so with a floor of 0.7 rows below some 0.4 are done with here: nearly all.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aetherflow {

/// Rows that lie side by side.
inline constexpr std::size_t kSketchLanes = 16;
/// More would overflow the 16 bits of the sums.
inline constexpr std::size_t kMaxSketchDimensions = 1024;

/// The rows of a block, in groups of kSketchLanes. Memory per row: dimensions / 4 + 8 bytes.
class Sketches {
 public:
  /// `row` is at most the number of rows so far. Nothing is kept above kMaxSketchDimensions.
  void set(std::size_t row, const float* vector, std::size_t dimensions);
  /// The last row of `from`, which may be these, takes the place of `row`.
  void take(std::size_t row, Sketches& from, std::size_t dimensions);
  void shrink();
  std::size_t bytes() const;

  const std::uint8_t* group(std::size_t index, std::size_t dimensions) const;
  const float* alpha(std::size_t index) const { return alpha_.data() + index * kSketchLanes; }
  const float* beta(std::size_t index) const { return beta_.data() + index * kSketchLanes; }
  std::size_t groups() const { return alpha_.size() / kSketchLanes; }

 private:
  std::vector<std::uint8_t> codes_;  ///< by group, byte, lane
  std::vector<float> alpha_;         ///< by row: α
  std::vector<float> beta_;          ///< by row: |r| rounded up; below any score for a lane without a row
  std::size_t rows_ = 0;
};

class SketchQuery {
 public:
  /// `vector` of unit length, within a thousandth.
  SketchQuery(const float* vector, std::size_t dimensions);

  /// Bit i: lane i of the group may reach `score`. Never 0 for one that does.
  std::uint32_t mayReach(const Sketches& rows, std::size_t group, float score) const;

 private:
  std::size_t dimensions_;
  std::vector<std::int8_t> tables_;  ///< 16 sums for each two dimensions
  float unit_ = 0;                   ///< of the tables' numbers
  float error_ = 0;                  ///< most that their rounding can take from q·y
};

}  // namespace aetherflow
