#include "core/plan/place.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kShown = 80;

bool isTail(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0u) == 0x80u;
}

}  // namespace

std::string stepPlace(StepIndex step, std::string_view tail) {
  std::string place = "/steps/" + std::to_string(step);
  place += tail;
  return place;
}

std::string dependencyPlace(StepIndex step, std::uint32_t place) {
  if (place == kNone) return stepPlace(step, "/description");
  if (place == kOfRule) return stepPlace(step, {});
  return stepPlace(step, "/dependencies/") + std::to_string(place);
}

std::string memberPlace(std::string_view name) {
  std::string place = "/";
  for (const char byte : shortened(name)) {
    if (byte == '~') {
      place += "~0";
    } else if (byte == '/') {
      place += "~1";
    } else {
      place += byte;
    }
  }
  return place;
}

std::string shortened(std::string_view text) {
  if (text.size() <= kShown) return std::string(text);
  std::size_t cut = kShown;
  while (cut > 0 && isTail(text[cut])) --cut;
  return std::string(text.substr(0, cut)) + "…";
}

std::string quoted(std::string_view text) {
  return '"' + shortened(text) + '"';
}

std::string quoted(std::string_view text, const char* rest) {
  return quoted(text) + rest;
}

std::string moreThan(std::uint64_t limit, const char* rest) {
  return "more than " + std::to_string(limit) + rest;
}

bool isFileName(std::string_view name) {
  if (name.empty() || name.size() > 120 || name.front() == '.') return false;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

bool isId(std::string_view text, std::size_t maxBytes) {
  if (text.empty() || text.size() > maxBytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

}  // namespace aetherflow
