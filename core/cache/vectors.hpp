#pragma once
// Unit vectors by namespace, and the k nearest of them by cosine: a scan over bytes, settled by floats.
//
//   namespace ─▶ blocks of up to 256 rows      sketch:  rows that cannot reach the floor (sketch.hpp) are passed over
//     block:  2 bits a dimension               scan:    a = scale · Σ code · query   (integers, exact)
//             codes  i8  [rows × dim]                   the float score lies in a ± slack
//             rows   f32 [rows × dim]          settle:  every row whose a + slack reaches the k-th best a − slack
//             scale, slack, id [rows]                   is scored in f32; so the answer is the float scan's own
//
// Why the bound holds. A row is x = s·c + e with integer codes c, a query y = t·r + f with 16-bit codes r. Then
// x·y = s·t·(c·r) + e·y + s·c·f, and by Cauchy–Schwarz the last two are at most |e|·|y| + (|x| + |e|)·|f|. |e| is
// stored with the row and |f| is known, both rounded up; the rounding of the float score itself is bounded by its
// summation depth. With 384 dimensions slack is near 0.006, nearly all of it |e|: some dozens of rows are settled out of 100,000.

#include <cstdint>
#include <vector>

#include "core/base/expected.hpp"
#include "core/cache/key.hpp"
#include "core/cache/sketch.hpp"

namespace aetherflow {

/// Dot product in a fixed order of summation: sixteen partial sums over every sixteenth element, folded in halves.
/// Equal bits in every build, with SIMD and without. Any alignment.
float dot(const float* a, const float* b, std::size_t dimensions);

struct Neighbour {
  std::uint32_t id = 0;
  float score = 0;  ///< cosine
};

/// How many neighbours may be asked for: the guards look at ten.
inline constexpr std::size_t kMaxNeighbours = 64;
/// Dimensions of every embedder that we know: at most 4,096. More would overflow the integers of the scan.
inline constexpr std::size_t kMaxDimensions = 4096;

/// Memory per entry: 5.25·dim + 32 bytes (2,048 at 384 dimensions) and what std::vector keeps spare in the youngest
/// block of a namespace, plus 40 bytes a namespace. Ids are the host's, dense from 0: a table of 8 bytes up to the
/// highest is kept.
class VectorIndex {
 public:
  explicit VectorIndex(std::size_t dimensions) : dimensions_(dimensions) {}

  /// Copies `vector` (dimensions() floats of unit length). Replaces what the id had. Fails: cache.bad_vector when it is
  /// not finite or its length is off 1 by more than 0.001, and changes nothing. O(dim).
  Error insert(CacheKey space, std::uint32_t id, const float* vector);
  /// The last row of the namespace moves into the gap, so there are no holes to compact. False: no such id. O(dim).
  bool erase(std::uint32_t id);
  /// Everything of a namespace. Returns the number of entries.
  std::size_t clear(CacheKey space);
  /// Gives back what the vectors keep spare; O(bytes). Rows are always dense.
  void compact();

  /// The `count` best of a namespace with a score of at least `floor`: by score, ties by the smaller id, the same as
  /// scoring every row by dot(). Nothing for a `query` that insert() would refuse. O(rows · dim) byte products.
  std::vector<Neighbour> nearest(CacheKey space, const float* query, std::size_t count, float floor = -2.0f) const;
  /// The same by scoring every row in f32: what nearest() is tested against.
  std::vector<Neighbour> nearestByFloats(CacheKey space, const float* query, std::size_t count,
                                         float floor = -2.0f) const;

  std::size_t dimensions() const { return dimensions_; }
  std::size_t size() const { return size_; }
  std::size_t size(CacheKey space) const;
  bool contains(std::uint32_t id) const { return id < places_.size() && places_[id].space != kNone; }
  /// Of an id that is contained: its vector. Borrowed until the next change.
  const float* at(std::uint32_t id) const;
  /// What the rows and tables occupy now, spare room included.
  std::size_t bytes() const;

 private:
  struct Row {
    double scale;  ///< of the codes
    float slack;   ///< |e|, rounded up
    std::uint32_t id;
  };
  struct Block {
    Sketches sketches;
    std::vector<std::int8_t> codes;
    std::vector<float> floats;
    std::vector<Row> rows;
  };
  struct Space {
    CacheKey key;
    std::uint32_t size = 0;
    std::vector<Block> blocks;
  };
  struct Place {
    std::uint32_t space = kNone;
    std::uint32_t row = 0;
  };
  static constexpr std::uint32_t kNone = 0xffffffffu;

  struct Search;
  bool isUnit(const float* vector) const;
  std::uint32_t spaceOf(CacheKey key) const;
  std::uint32_t openSpace(CacheKey key);

  std::size_t dimensions_;
  std::size_t size_ = 0;
  std::vector<Space> spaces_;         ///< emptied ones are used again
  std::vector<std::uint32_t> order_;  ///< of the spaces in use, sorted by key
  std::vector<Place> places_;         ///< by id
};

}  // namespace aetherflow
