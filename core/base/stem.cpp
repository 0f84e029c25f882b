#include "core/base/stem.hpp"

namespace aetherflow {
namespace {

/// Drops `ending` if at least `least` bytes stay.
bool drop(std::string& word, std::string_view ending, std::size_t least) {
  if (word.size() < ending.size() + least || !word.ends_with(ending)) return false;
  word.erase(word.size() - ending.size());
  return true;
}

/// Replaces `ending` if at least `least` bytes stay.
void respell(std::string& word, std::string_view ending, std::string_view other, std::size_t least) {
  if (drop(word, ending, least)) word += other;
}

std::string frenchStem(std::string stem) {
  if (!drop(stem, "s", 3)) drop(stem, "x", 3);
  for (const std::string_view ending : {"er", "ez", "ee", "ent", "ant", "ons", "e"}) {
    if (drop(stem, ending, 4)) break;
  }
  return stem;
}

}  // namespace

std::string stemOf(Language language, std::string_view word) {
  std::string stem(word);
  if (language == Language::French) return frenchStem(std::move(stem));
  if (drop(stem, "ies", 3)) {
    stem += 'y';
  } else if (!stem.ends_with("ss") && !stem.ends_with("us") && !stem.ends_with("is")) {
    if (!drop(stem, "'s", 1)) drop(stem, "s", 3);
  }
  const bool verb = drop(stem, "ing", 4) || drop(stem, "ing", 3) || drop(stem, "ed", 3);
  const std::size_t n = stem.size();
  if (verb && n > 3 && stem[n - 1] == stem[n - 2] && stem[n - 1] != 'l' && stem[n - 1] != 's') stem.pop_back();
  // "cancelled" and "canceled", "install" and "instal".
  respell(stem, "ll", "l", 2);
  drop(stem, "e", 3);
  // British endings: -our, -isation, -ise, -yse.
  respell(stem, "our", "or", 3);
  respell(stem, "isation", "ization", 3);
  respell(stem, "is", "iz", 4);
  respell(stem, "ys", "yz", 4);
  if (!stem.empty() && stem.back() == 'y' && stem.size() > 3) stem.back() = 'i';
  return stem;
}

}  // namespace aetherflow
