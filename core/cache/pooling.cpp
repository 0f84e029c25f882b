#include "core/cache/pooling.hpp"

#include <array>
#include <cmath>

// Without exceptions xtensor prints its errors to std::cerr before it aborts, and would bring 50 KB of streams into the
// module. None of them can happen here: the shape is ours.
// clang-format off
#include <xtl/xtl_config.hpp>
#if __has_include(<xtensor/xadapt.hpp>)
#include <xtensor/xtensor_config.hpp>
#else  // 0.26 and newer
#include <xtensor/core/xtensor_config.hpp>
#endif
#undef XTL_THROW
#undef XTENSOR_THROW
#define XTL_THROW(exception, message) __builtin_trap()
#define XTENSOR_THROW(exception, message) __builtin_trap()
#if __has_include(<xtensor/xadapt.hpp>)
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#else
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#endif
// clang-format on

namespace aetherflow {

bool poolMean(float* states, std::size_t pieces, std::size_t dimensions) {
  if (pieces == 0 || dimensions == 0) return false;
  const std::array<std::size_t, 2> shape{pieces, dimensions};
  const auto rows = xt::adapt(states, pieces * dimensions, xt::no_ownership(), shape);
  // The sum has the direction of the mean, which is all that is left at unit length.
  const xt::xtensor<float, 1> sum = xt::sum(rows, {0});
  double squares = 0;
  for (const float value : sum) squares += static_cast<double>(value) * value;
  if (!(squares > 0) || !std::isfinite(squares)) return false;
  const double scale = 1 / std::sqrt(squares);
  for (std::size_t i = 0; i < dimensions; ++i) states[i] = static_cast<float>(sum(i) * scale);
  return true;
}

}  // namespace aetherflow
