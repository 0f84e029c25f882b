#include "core/cache/sketch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <tmmintrin.h>
#endif

namespace aetherflow {
namespace {

constexpr float kNoRow = -1e30f;
/// Two lookups are added in 8 bits.
constexpr double kPeak = 63;
/// Covers the roundings of the f32 arithmetic below, at scores up to 2.
constexpr float kMargin = 1e-5f;

constexpr std::size_t bytesPerRow(std::size_t dimensions) {
  return (dimensions + 3) / 4;
}

/// −3, −1, 1 or 3 of a code of two bits: its sign, its size.
constexpr int levelOf(unsigned code) {
  const int size = (code & 1) != 0 ? 3 : 1;
  return (code & 2) != 0 ? -size : size;
}

using Sums = std::int16_t[kSketchLanes];

#if defined(__wasm_simd128__)
void sumGroup(const std::uint8_t* codes, const std::int8_t* tables, std::size_t bytes, Sums& out) {
  v128_t low = wasm_i16x8_const(0, 0, 0, 0, 0, 0, 0, 0);
  v128_t high = low;
  const v128_t nibble = wasm_i8x16_splat(15);
  for (std::size_t i = 0; i < bytes; ++i, codes += 16, tables += 32) {
    const v128_t both = wasm_v128_load(codes);
    const v128_t sum = wasm_i8x16_add(wasm_i8x16_swizzle(wasm_v128_load(tables), wasm_v128_and(both, nibble)),
                                      wasm_i8x16_swizzle(wasm_v128_load(tables + 16), wasm_u8x16_shr(both, 4)));
    low = wasm_i16x8_add(low, wasm_i16x8_extend_low_i8x16(sum));
    high = wasm_i16x8_add(high, wasm_i16x8_extend_high_i8x16(sum));
  }
  wasm_v128_store(out, low);
  wasm_v128_store(out + 8, high);
}
#else
void sumByOnes(const std::uint8_t* codes, const std::int8_t* tables, std::size_t bytes, Sums& out) {
  for (std::size_t lane = 0; lane < kSketchLanes; ++lane) {
    int sum = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::uint8_t both = codes[i * kSketchLanes + lane];
      sum += tables[i * 32 + (both & 15)] + tables[i * 32 + 16 + (both >> 4)];
    }
    out[lane] = static_cast<std::int16_t>(sum);
  }
}

#if defined(__SSE2__)
/// Every x86-64 of the last fifteen years has the shuffle; the compiler may not assume it.
__attribute__((target("ssse3"))) void sumByShuffles(const std::uint8_t* codes, const std::int8_t* tables,
                                                    std::size_t bytes, Sums& out) {
  __m128i low = _mm_setzero_si128();
  __m128i high = low;
  const __m128i nibble = _mm_set1_epi8(15);
  for (std::size_t i = 0; i < bytes; ++i, codes += 16, tables += 32) {
    const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
    const __m128i one = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tables));
    const __m128i two = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tables + 16));
    const __m128i upper = _mm_and_si128(_mm_srli_epi16(both, 4), nibble);
    const __m128i sum = _mm_add_epi8(_mm_shuffle_epi8(one, _mm_and_si128(both, nibble)), _mm_shuffle_epi8(two, upper));
    low = _mm_add_epi16(low, _mm_srai_epi16(_mm_unpacklo_epi8(sum, sum), 8));
    high = _mm_add_epi16(high, _mm_srai_epi16(_mm_unpackhi_epi8(sum, sum), 8));
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), low);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 8), high);
}
#endif

void sumGroup(const std::uint8_t* codes, const std::int8_t* tables, std::size_t bytes, Sums& out) {
#if defined(__SSE2__)
  static const bool shuffles = __builtin_cpu_supports("ssse3");
  if (shuffles) return sumByShuffles(codes, tables, bytes, out);
#endif
  sumByOnes(codes, tables, bytes, out);
}
#endif

}  // namespace

void Sketches::set(std::size_t row, const float* vector, std::size_t dimensions) {
  if (dimensions > kMaxSketchDimensions) return;
  const std::size_t bytes = bytesPerRow(dimensions);
  const std::size_t group = row / kSketchLanes;
  if (group == groups()) {
    codes_.resize(codes_.size() + bytes * kSketchLanes, 0);
    alpha_.resize(alpha_.size() + kSketchLanes, 0);
    beta_.resize(beta_.size() + kSketchLanes, kNoRow);
  }
  // Best for a normal distribution of that length: values above the step are nearer to 3 than to 1.
  const double step = 0.98 / std::sqrt(static_cast<double>(dimensions));
  std::uint8_t* lane = codes_.data() + group * bytes * kSketchLanes + row % kSketchLanes;
  double along = 0;
  double square = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    unsigned packed = 0;
    for (std::size_t k = 0; k < 4 && 4 * i + k < dimensions; ++k) {
      const float value = vector[4 * i + k];
      const unsigned code = (value < 0 ? 2u : 0u) | (std::fabs(value) > step ? 1u : 0u);
      packed |= code << (2 * k);
      along += static_cast<double>(value) * levelOf(code);
      square += levelOf(code) * levelOf(code);
    }
    lane[i * kSketchLanes] = static_cast<std::uint8_t>(packed);
  }
  const double alpha = along / square;
  double left = 0;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const unsigned code = lane[i / 4 * kSketchLanes] >> (2 * (i % 4)) & 3u;
    const double rest = vector[i] - alpha * levelOf(code);
    left += rest * rest;
  }
  alpha_[row] = static_cast<float>(alpha);
  // A query may be a thousandth longer than 1; what rounding α to f32 leaves out is in the margin.
  beta_[row] = static_cast<float>(std::sqrt(left) * 1.0011) + kMargin;
  rows_ = std::max(rows_, row + 1);
}

void Sketches::take(std::size_t row, Sketches& from, std::size_t dimensions) {
  if (from.rows_ == 0) return;
  const std::size_t bytes = bytesPerRow(dimensions);
  const auto laneOf = [&](Sketches& in, std::size_t at) {
    return in.codes_.data() + at / kSketchLanes * bytes * kSketchLanes + at % kSketchLanes;
  };
  const std::size_t last = --from.rows_;
  std::uint8_t* to = laneOf(*this, row);
  const std::uint8_t* codes = laneOf(from, last);
  for (std::size_t i = 0; i < bytes; ++i) to[i * kSketchLanes] = codes[i * kSketchLanes];
  alpha_[row] = from.alpha_[last];
  beta_[row] = from.beta_[last];
  from.beta_[last] = kNoRow;
  if (last % kSketchLanes != 0) return;
  from.codes_.resize(from.codes_.size() - bytes * kSketchLanes);
  from.alpha_.resize(last);
  from.beta_.resize(last);
}

void Sketches::shrink() {
  codes_.shrink_to_fit();
  alpha_.shrink_to_fit();
  beta_.shrink_to_fit();
}

std::size_t Sketches::bytes() const {
  return codes_.capacity() + (alpha_.capacity() + beta_.capacity()) * sizeof(float);
}

const std::uint8_t* Sketches::group(std::size_t index, std::size_t dimensions) const {
  return codes_.data() + index * bytesPerRow(dimensions) * kSketchLanes;
}

SketchQuery::SketchQuery(const float* vector, std::size_t dimensions) : dimensions_(dimensions) {
  const std::size_t pairs = 2 * bytesPerRow(dimensions);
  const auto at = [&](std::size_t i) { return i < dimensions ? static_cast<double>(vector[i]) : 0.0; };
  double peak = 1e-9;
  for (std::size_t i = 0; i < pairs; ++i) peak = std::max(peak, 3 * (std::fabs(at(2 * i)) + std::fabs(at(2 * i + 1))));
  const double unit = peak / kPeak;
  double error = 0;
  tables_.resize(16 * pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    double worst = 0;
    for (unsigned code = 0; code < 16; ++code) {
      const double exact = levelOf(code & 3) * at(2 * i) + levelOf(code >> 2) * at(2 * i + 1);
      const double rounded = std::floor(exact / unit + 0.5);
      tables_[16 * i + code] = static_cast<std::int8_t>(rounded);
      worst = std::max(worst, exact - rounded * unit);
    }
    error += worst;
  }
  unit_ = static_cast<float>(unit);
  error_ = static_cast<float>(error * 1.0001) + 0.001f;
}

std::uint32_t SketchQuery::mayReach(const Sketches& rows, std::size_t group, float score) const {
  Sums sums;
  sumGroup(rows.group(group, dimensions_), tables_.data(), bytesPerRow(dimensions_), sums);
  const float* alpha = rows.alpha(group);
  const float* beta = rows.beta(group);
  std::uint32_t lanes = 0;
  for (std::size_t lane = 0; lane < kSketchLanes; ++lane) {
    const float most = (static_cast<float>(sums[lane]) * unit_ + error_) * alpha[lane] + beta[lane];
    lanes |= static_cast<std::uint32_t>(most >= score) << lane;
  }
  return lanes;
}

}  // namespace aetherflow
