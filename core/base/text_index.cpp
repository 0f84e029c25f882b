#include "core/base/text_index.hpp"

#include <cstring>

namespace aetherflow {

/// Four bytes at a time, and the rest. Differs between byte orders, which nothing can see.
std::uint32_t TextIndex::hashOf(std::string_view text) {
  auto hash = static_cast<std::uint32_t>(text.size());
  const char* at = text.data();
  for (std::size_t left = text.size(); left != 0;) {
    std::uint32_t piece = 0;
    const std::size_t bytes = left < sizeof piece ? left : sizeof piece;
    if (bytes == sizeof piece)
      std::memcpy(&piece, at, sizeof piece);  // of constant size, so one load
    else
      for (std::size_t i = 0; i < bytes; ++i) piece = piece << 8 | static_cast<unsigned char>(at[i]);
    hash = (hash ^ piece) * 0x9e3779b1u;
    hash ^= hash >> 15;
    at += bytes;
    left -= bytes;
  }
  return hash;
}

std::uint32_t TextIndex::placeOf(std::string_view text, std::uint32_t hash) const {
  if (buckets_.empty()) return kNowhere;
  std::uint32_t place = buckets_[hash & (buckets_.size() - 1)];
  while (place != kNowhere && (entries_[place].hash != hash || entries_[place].first != text))
    place = entries_[place].next;
  return place;
}

void TextIndex::grow() {
  buckets_.assign(buckets_.empty() ? 8 : 2 * buckets_.size(), kNowhere);
  // Erased entries have no bucket: their `hash` would put them back into one.
  std::uint32_t place = 0;
  for (Entry& entry : entries_) {
    if (entry.next != kErased) {
      std::uint32_t& first = buckets_[entry.hash & (buckets_.size() - 1)];
      entry.next = std::exchange(first, place);
    }
    ++place;
  }
}

std::pair<TextIndex::Entry*, bool> TextIndex::emplace(std::string_view text, std::uint32_t number) {
  const std::uint32_t hash = hashOf(text);
  if (Entry* known = entry(placeOf(text, hash))) return {known, false};
  if (entries_.size() >= buckets_.size()) grow();
  std::uint32_t& first = buckets_[hash & (buckets_.size() - 1)];
  const auto place = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({std::string(text), number, hash, std::exchange(first, place)});
  ++size_;
  return {&entries_.back(), true};
}

void TextIndex::erase(const Entry* entry) {
  const std::uint32_t place = placeOf(entry);
  std::uint32_t* link = &buckets_[entry->hash & (buckets_.size() - 1)];
  while (*link != place) link = &entries_[*link].next;
  *link = entry->next;
  entries_[place].next = kErased;
  entries_[place].first = {};
  --size_;
}

}  // namespace aetherflow
