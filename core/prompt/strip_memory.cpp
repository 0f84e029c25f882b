#include "core/prompt/strip_memory.hpp"

#include <cstdint>

namespace aetherflow {
namespace {

/// Of the length and some bytes spread over the text: a place that holds another one costs a comparison, no more.
std::uint32_t spread(std::string_view text) {
  constexpr std::size_t kSamples = 64;
  auto hash = static_cast<std::uint32_t>(text.size());
  for (std::size_t i = 0; i < kSamples; ++i)
    hash = hash * 16777619u ^ static_cast<unsigned char>(text[i * (text.size() - 1) / (kSamples - 1)]);
  return hash ^ hash >> 16;
}

}  // namespace

const Stripped& StripMemory::of(std::string_view text) {
  if (text.size() < kLeast || text.size() > kMost) return last_ = strip(text);
  Place& place = places_[spread(text) % kPlaces];
  if (place.text == text) return place.result;
  place.text.clear();
  place.result = strip(text);
  place.text = text;
  return place.result;
}

}  // namespace aetherflow
