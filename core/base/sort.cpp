#include "core/base/sort.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace aetherflow {

void sortWords(void* items, std::size_t count, std::size_t words, Before before, const void* context) {
  constexpr std::size_t kWord = sizeof(std::uint32_t);
  const std::size_t size = words * kWord;
  auto* from = static_cast<unsigned char*>(items);
  // What comes here is often in order already.
  std::size_t ordered = 1;
  while (ordered < count && !before(context, from + ordered * size, from + (ordered - 1) * size)) ++ordered;
  if (ordered >= count) return;
  // Runs of `width` items are merged in pairs, from one array into the other.
  std::vector<std::uint32_t> other(count * words);
  auto* to = reinterpret_cast<unsigned char*>(other.data());
  for (std::size_t width = 1; width < count; width *= 2) {
    unsigned char* out = to;
    for (std::size_t begin = 0; begin < count; begin += 2 * width) {
      const std::size_t half = begin + std::min(width, count - begin),
                        whole = begin + std::min(2 * width, count - begin);
      const unsigned char *left = from + begin * size, *right = from + half * size;
      const unsigned char *const middle = right, *const end = from + whole * size;
      while (left != middle || right != end) {
        const unsigned char*& taken = left == middle || (right != end && before(context, right, left)) ? right : left;
        // Of constant size, so one load and one store.
        for (std::size_t w = 0; w < words; ++w, out += kWord, taken += kWord) std::memcpy(out, taken, kWord);
      }
    }
    std::swap(from, to);
  }
  if (from != items) std::memcpy(items, from, count * size);
}

}  // namespace aetherflow
