#include "core/prompt/text.hpp"

namespace aetherflow::text {

CodePoint decode(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned lead = byte(at);
  const std::uint32_t bytes = lead < 0x80                   ? 1
                              : lead >= 0xf0 && lead < 0xf8 ? 4
                              : lead >= 0xe0                ? 3
                              : lead >= 0xc2                ? 2
                                                            : 1;
  if (bytes == 1 || lead >= 0xf8 || at + bytes > s.size()) return {lead, 1};
  std::uint32_t value = lead & (0x7fu >> bytes);
  for (std::uint32_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {lead, 1};
    value = (value << 6) | (byte(at + i) & 0x3f);
  }
  return {value, bytes};
}

void appendLowered(std::string& out, std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto byte = static_cast<unsigned char>(s[i]);
    out += lower(s[i]);
    if (byte != 0xc3 || i + 1 == s.size()) continue;
    const auto next = static_cast<unsigned char>(s[++i]);
    // U+00C0–U+00DE are the capitals, U+00D7 (×) is no letter.
    out += static_cast<char>(next >= 0x80 && next <= 0x9e && next != 0x97 ? next + 0x20 : next);
  }
}

std::string lowered(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  appendLowered(out, s);
  return out;
}

std::string_view trimmed(std::string_view s) {
  std::size_t begin = 0;
  std::size_t end = s.size();
  while (begin < end && isSpace(s[begin])) ++begin;
  while (end > begin && isSpace(s[end - 1])) --end;
  return s.substr(begin, end - begin);
}

bool startsWith(std::string_view s, std::string_view prefix) {
  return s.substr(0, prefix.size()) == prefix;
}

bool endsWith(std::string_view s, std::string_view suffix) {
  return s.size() >= suffix.size() && s.substr(s.size() - suffix.size()) == suffix;
}

bool equalNoCase(std::string_view s, std::string_view lowerCase) {
  if (s.size() != lowerCase.size()) return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (lower(s[i]) != lowerCase[i]) return false;
  }
  return true;
}

namespace {

/// Length of the entry that begins the list if `s` begins with it, or 0; `at` moves to the next entry.
std::size_t matchEntry(std::string_view s, std::string_view list, std::size_t& at, bool anyCase) {
  const std::size_t begin = at;
  std::size_t i = 0;
  while (i < s.size() && list[at] != '\n' && (anyCase ? lower(s[i]) : s[i]) == list[at]) ++i, ++at;
  const bool matched = list[at] == '\n';
  while (list[at++] != '\n') {
  }
  return matched ? at - 1 - begin : 0;
}

}  // namespace

bool isListed(std::string_view s, const List& list) {
  for (std::size_t at = 0; list.mayBegin(s) && at < list.entries.size();) {
    if (const std::size_t length = matchEntry(s, list.entries, at, true); length != 0 && length == s.size())
      return true;
  }
  return false;
}

std::size_t listedPrefix(std::string_view s, const List& list, bool anyCase) {
  for (std::size_t at = 0; list.mayBegin(s) && at < list.entries.size();) {
    if (const std::size_t length = matchEntry(s, list.entries, at, anyCase); length != 0) return length;
  }
  return 0;
}

bool containsListed(std::string_view s, const List& list) {
  for (; !s.empty(); s.remove_prefix(1)) {
    if (list.mayBegin(s) && listedPrefix(s, list, true) != 0) return true;
  }
  return false;
}

}  // namespace aetherflow::text
