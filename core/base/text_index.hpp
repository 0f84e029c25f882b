#pragma once
// The one hash table of the core: texts → numbers. std::unordered_map would be 4 KB of the module, prime numbers included.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aetherflow {

/// For lookups only, so never iterated. What `find` and `emplace` hand out is valid until the next `emplace`; a place
/// (see placeOf) stays valid until its entry is erased.
class TextIndex {
 public:
  struct Entry {
    std::string first;
    std::uint32_t second;
    std::uint32_t hash;
    std::uint32_t next;  ///< place of the next entry in the bucket
  };

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  Entry* find(std::string_view text) { return entry(placeOf(text, hashOf(text))); }
  const Entry* find(std::string_view text) const { return const_cast<TextIndex*>(this)->find(text); }
  static constexpr std::nullptr_t end() { return nullptr; }
  /// Of a text that is there.
  std::uint32_t at(std::string_view text) const { return find(text)->second; }

  /// Adds the text unless it is there; the entry, and whether it is new.
  std::pair<Entry*, bool> emplace(std::string_view text, std::uint32_t number);
  void erase(const Entry* entry);

  /// Differs between byte orders.
  static std::uint32_t hashOf(std::string_view text);
  std::uint32_t placeOf(const Entry* entry) const { return static_cast<std::uint32_t>(entry - entries_.data()); }
  const std::string& textAt(std::uint32_t place) const { return entries_[place].first; }

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX, kErased = UINT32_MAX - 1;

  std::uint32_t placeOf(std::string_view text, std::uint32_t hash) const;
  Entry* entry(std::uint32_t place) { return place == kNowhere ? nullptr : &entries_[place]; }
  void grow();

  std::vector<Entry> entries_;          // erased ones stay, without their text
  std::vector<std::uint32_t> buckets_;  // place of the first entry; a power of two of them, never fewer than entries
  std::size_t size_ = 0;
};

}  // namespace aetherflow
