#include "core/cache/vectors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace aetherflow {
namespace {

constexpr std::uint32_t kBlockRows = 256;
static_assert(kBlockRows % kSketchLanes == 0);
/// Below it the sketches let nearly every row pass.
constexpr float kSketchFloor = 0.5f;

/// Four floats. GCC and Clang make SIMD of it where the target has any, and four scalars where not: the same roundings.
using Four = float __attribute__((vector_size(16)));

Four load(const float* at) {
  Four out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

/// Sum of products of codes. `dimensions` is a multiple of 16 here; integers, so the order does not matter.
/// No overflow: the query's codes are scaled so that 127 · Σ|code| < 2³¹ (see Query).
std::int32_t products(const std::int8_t* row, const std::int16_t* query, std::size_t dimensions) {
#if defined(__wasm_simd128__)
  v128_t low = wasm_i32x4_const(0, 0, 0, 0);
  v128_t high = low;
  for (std::size_t i = 0; i < dimensions; i += 16) {
    const v128_t codes = wasm_v128_load(row + i);
    low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(codes), wasm_v128_load(query + i)));
    high =
        wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(codes), wasm_v128_load(query + i + 8)));
  }
  const v128_t sum = wasm_i32x4_add(low, high);
  return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
         wasm_i32x4_extract_lane(sum, 3);
#elif defined(__SSE2__)
  __m128i low = _mm_setzero_si128();
  __m128i high = low;
  for (std::size_t i = 0; i < dimensions; i += 16) {
    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i));
    // A byte in the upper half of a 16-bit lane, shifted down: sign extension without SSE4.
    const __m128i first = _mm_srai_epi16(_mm_unpacklo_epi8(codes, codes), 8);
    const __m128i second = _mm_srai_epi16(_mm_unpackhi_epi8(codes, codes), 8);
    low = _mm_add_epi32(low, _mm_madd_epi16(first, _mm_loadu_si128(reinterpret_cast<const __m128i*>(query + i))));
    high =
        _mm_add_epi32(high, _mm_madd_epi16(second, _mm_loadu_si128(reinterpret_cast<const __m128i*>(query + i + 8))));
  }
  alignas(16) std::int32_t lanes[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(lanes), _mm_add_epi32(low, high));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
#else
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dimensions; ++i) sum += row[i] * query[i];
  return sum;
#endif
}

/// Rows are padded with zeros to the step of the scan.
constexpr std::size_t padded(std::size_t dimensions) {
  return (dimensions + 15) / 16 * 16;
}

double peakOf(const float* vector, std::size_t dimensions) {
  double peak = 0;
  for (std::size_t i = 0; i < dimensions; ++i) peak = std::max(peak, std::fabs(static_cast<double>(vector[i])));
  return peak;
}

/// Codes of `vector` in units of `scale`; returns the length of what they leave out, rounded up.
template <class Code>
double encode(const float* vector, std::size_t dimensions, double scale, Code* codes) {
  double square = 0;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const double exact = vector[i] / scale;
    codes[i] = static_cast<Code>(exact + (exact < 0 ? -0.5 : 0.5));
    const double left = vector[i] - scale * codes[i];
    square += left * left;
  }
  return std::sqrt(square) * 1.000001 + 1e-12;
}

/// A query in 16 bits, or fewer where the sum of the products could leave 32 bits: Σ|c·r| ≤ 127 · √dim · |r| and
/// |r| ≤ 1.001 / t, which gives the least step t.
struct Query {
  Query(const float* vector, std::size_t dimensions) : codes(padded(dimensions), 0) {
    const double least = 1.001 * 127 * std::sqrt(static_cast<double>(dimensions)) / 2.1e9;
    scale = std::max(peakOf(vector, dimensions) / 32767, least);
    left = encode(vector, dimensions, scale, codes.data());
  }

  std::vector<std::int16_t> codes;
  double scale;
  double left;
};

bool before(const Neighbour& a, const Neighbour& b) {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

/// Keeps the `count` best of what is offered, best first. Insertion: there are ten.
void offer(std::vector<Neighbour>& best, std::size_t count, Neighbour found) {
  if (best.size() == count) {
    if (!before(found, best.back())) return;
    best.pop_back();
  }
  best.insert(std::upper_bound(best.begin(), best.end(), found, before), found);
}

/// The k-th largest of the lower bounds seen: nothing below it can be among the k best.
class Bar {
 public:
  Bar(std::size_t count, double floor) : lows_(count, floor) {}
  double height() const { return lows_.back(); }
  void raise(double low) {
    if (low <= lows_.back()) return;
    lows_.pop_back();
    lows_.insert(std::upper_bound(lows_.begin(), lows_.end(), low, [](double a, double b) { return a > b; }), low);
  }

 private:
  std::vector<double> lows_;  // descending
};

}  // namespace

float dot(const float* a, const float* b, std::size_t dimensions) {
  Four sums[4] = {};
  std::size_t i = 0;
  for (; i + 16 <= dimensions; i += 16) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] += load(a + i + 4 * k) * load(b + i + 4 * k);
  }
  const Four halves = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  float sum = (halves[0] + halves[2]) + (halves[1] + halves[3]);
  for (; i < dimensions; ++i) sum += a[i] * b[i];
  return sum;
}

bool VectorIndex::isUnit(const float* vector) const {
  if (dimensions_ == 0 || dimensions_ > kMaxDimensions) return false;
  const float square = dot(vector, vector, dimensions_);
  return square > 0.998f && square < 1.002f;  // false for NaN
}

std::uint32_t VectorIndex::spaceOf(CacheKey key) const {
  const auto found = std::lower_bound(order_.begin(), order_.end(), key,
                                      [&](std::uint32_t space, CacheKey k) { return spaces_[space].key < k; });
  return found != order_.end() && spaces_[*found].key == key ? *found : kNone;
}

std::uint32_t VectorIndex::openSpace(CacheKey key) {
  std::uint32_t space = spaceOf(key);
  if (space != kNone) return space;
  space = 0;
  while (space < spaces_.size() && spaces_[space].size != 0) ++space;
  if (space == spaces_.size()) spaces_.emplace_back();
  spaces_[space].key = key;
  order_.insert(std::lower_bound(order_.begin(), order_.end(), key,
                                 [&](std::uint32_t at, CacheKey k) { return spaces_[at].key < k; }),
                space);
  return space;
}

Error VectorIndex::insert(CacheKey key, std::uint32_t id, const float* vector) {
  if (!isUnit(vector)) return {ErrorCode::CacheBadVector, "", ""};
  erase(id);
  const std::uint32_t at = openSpace(key);
  Space& space = spaces_[at];
  if (space.size % kBlockRows == 0) space.blocks.emplace_back();
  Block& block = space.blocks.back();
  const std::size_t width = padded(dimensions_);
  const std::size_t row = space.size % kBlockRows;
  block.codes.resize((row + 1) * width, 0);
  block.floats.insert(block.floats.end(), vector, vector + dimensions_);
  const double scale = peakOf(vector, dimensions_) / 127;
  const double left = encode(vector, dimensions_, scale, block.codes.data() + row * width);
  block.rows.push_back({scale, static_cast<float>(left * 1.000001), id});
  block.sketches.set(row, vector, dimensions_);
  if (id >= places_.size()) places_.resize(id + 1);
  places_[id] = {at, space.size};
  ++space.size;
  ++size_;
  return {};
}

bool VectorIndex::erase(std::uint32_t id) {
  if (!contains(id)) return false;
  const Place place = places_[id];
  Space& space = spaces_[place.space];
  Block& last = space.blocks.back();
  Block& block = space.blocks[place.row / kBlockRows];
  const std::size_t width = padded(dimensions_);
  const std::size_t row = place.row % kBlockRows;
  const std::size_t end = last.rows.size() - 1;
  std::copy_n(last.codes.data() + end * width, width, block.codes.data() + row * width);
  std::copy_n(last.floats.data() + end * dimensions_, dimensions_, block.floats.data() + row * dimensions_);
  block.rows[row] = last.rows[end];
  block.sketches.take(row, last.sketches, dimensions_);
  places_[block.rows[row].id].row = place.row;
  places_[id].space = kNone;
  last.codes.resize(end * width);
  last.floats.resize(end * dimensions_);
  last.rows.pop_back();
  if (last.rows.empty()) space.blocks.pop_back();
  --size_;
  if (--space.size == 0) order_.erase(std::find(order_.begin(), order_.end(), place.space));
  return true;
}

std::size_t VectorIndex::clear(CacheKey key) {
  const std::uint32_t at = spaceOf(key);
  if (at == kNone) return 0;
  Space& space = spaces_[at];
  for (const Block& block : space.blocks) {
    for (const Row& row : block.rows) places_[row.id].space = kNone;
  }
  const std::size_t erased = space.size;
  size_ -= erased;
  space.size = 0;
  space.blocks = {};
  order_.erase(std::find(order_.begin(), order_.end(), at));
  return erased;
}

void VectorIndex::compact() {
  for (Space& space : spaces_) {
    for (Block& block : space.blocks) {
      block.codes.shrink_to_fit();
      block.floats.shrink_to_fit();
      block.rows.shrink_to_fit();
      block.sketches.shrink();
    }
    space.blocks.shrink_to_fit();
  }
}

/// One search in progress.
struct VectorIndex::Search {
  struct Candidate {
    double reach;
    const float* floats;
    std::uint32_t id;
  };

  Search(const float* vector, std::size_t dims, std::size_t count, float floor)
      : query(vector, dims),
        bar(count, floor),
        dimensions(dims),
        // |y| and |x| are at most 1.001; the float score's own rounding is at most (depth of its sums) · 2⁻²⁴ · |x|·|y|.
        rounding(static_cast<double>(dims / 16 + 32) / 8388608.0) {}

  void row(const Block& block, std::size_t i) {
    const Row& row = block.rows[i];
    const std::size_t width = query.codes.size();
    const double score = row.scale * query.scale * products(block.codes.data() + i * width, query.codes.data(), width);
    const double slack = 1.001 * row.slack + (1.001 + row.slack) * query.left + rounding;
    if (score + slack < bar.height()) return;
    candidates.push_back({score + slack, block.floats.data() + i * dimensions, row.id});
    bar.raise(score - slack);
  }

  void block(const Block& block) {
    for (std::size_t i = 0; i < block.rows.size(); ++i) row(block, i);
  }

  void block(const Block& block, const SketchQuery& sketch) {
    for (std::size_t group = 0; group < block.sketches.groups(); ++group) {
      const auto score = static_cast<float>(bar.height() - rounding);
      for (std::uint32_t lanes = sketch.mayReach(block.sketches, group, score); lanes != 0; lanes &= lanes - 1) {
        row(block, group * kSketchLanes + static_cast<std::size_t>(std::countr_zero(lanes)));
      }
    }
  }

  const Query query;
  Bar bar;
  const std::size_t dimensions;
  const double rounding;
  std::vector<Candidate> candidates;
};

std::vector<Neighbour> VectorIndex::nearest(CacheKey key, const float* vector, std::size_t count, float floor) const {
  std::vector<Neighbour> best;
  const std::uint32_t at = spaceOf(key);
  count = std::min(count, kMaxNeighbours);
  if (at == kNone || count == 0 || !isUnit(vector)) return best;
  Search search(vector, dimensions_, count, floor);
  if (floor >= kSketchFloor && dimensions_ <= kMaxSketchDimensions) {
    const SketchQuery sketch(vector, dimensions_);
    for (const Block& block : spaces_[at].blocks) search.block(block, sketch);
  } else {
    for (const Block& block : spaces_[at].blocks) search.block(block);
  }
  for (const Search::Candidate& candidate : search.candidates) {
    if (candidate.reach < search.bar.height()) continue;
    const Neighbour found{candidate.id, dot(vector, candidate.floats, dimensions_)};
    if (found.score >= floor) offer(best, count, found);
  }
  return best;
}

std::vector<Neighbour> VectorIndex::nearestByFloats(CacheKey key, const float* vector, std::size_t count,
                                                    float floor) const {
  std::vector<Neighbour> best;
  const std::uint32_t at = spaceOf(key);
  count = std::min(count, kMaxNeighbours);
  if (at == kNone || count == 0 || !isUnit(vector)) return best;
  for (const Block& block : spaces_[at].blocks) {
    for (std::size_t i = 0; i < block.rows.size(); ++i) {
      const Neighbour found{block.rows[i].id, dot(vector, block.floats.data() + i * dimensions_, dimensions_)};
      if (found.score >= floor) offer(best, count, found);
    }
  }
  return best;
}

std::size_t VectorIndex::size(CacheKey key) const {
  const std::uint32_t at = spaceOf(key);
  return at == kNone ? 0 : spaces_[at].size;
}

const float* VectorIndex::at(std::uint32_t id) const {
  const Place place = places_[id];
  return spaces_[place.space].blocks[place.row / kBlockRows].floats.data() + place.row % kBlockRows * dimensions_;
}

std::size_t VectorIndex::bytes() const {
  std::size_t bytes = places_.capacity() * sizeof(Place) + order_.capacity() * sizeof(std::uint32_t);
  for (const Space& space : spaces_) {
    bytes += sizeof(Space);
    for (const Block& block : space.blocks) {
      bytes += sizeof(Block) + block.codes.capacity() + block.floats.capacity() * sizeof(float) +
               block.rows.capacity() * sizeof(Row) + block.sketches.bytes();
    }
  }
  return bytes;
}

}  // namespace aetherflow
