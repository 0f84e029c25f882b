#pragma once
// Sorting in one piece of code for every type: each std::sort of another type would be two kilobytes of module.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace aetherflow {

/// What sortItems() sorts with: whether `a` belongs before `b`.
using Before = bool (*)(const void* context, const void* a, const void* b);

/// Stable, O(n log n), by moving whole words of four bytes. `items`: `count` times `words` of them.
void sortWords(void* items, std::size_t count, std::size_t words, Before before, const void* context);

/// Stable, so equal inputs give equal outputs in every build.
template <class T, class Less>
void sortItems(std::vector<T>& items, const Less& less) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint32_t) == 0);
  sortWords(
      items.data(), items.size(), sizeof(T) / sizeof(std::uint32_t),
      [](const void* context, const void* a, const void* b) {
        return (*static_cast<const Less*>(context))(*static_cast<const T*>(a), *static_cast<const T*>(b));
      },
      &less);
}

}  // namespace aetherflow
