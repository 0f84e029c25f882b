#include "core/index/words.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kLongest = 48;
constexpr std::size_t kMostRead = 200'000;
constexpr std::size_t kLanguageWords = 4000;

/// The letters below U+00C0 … U+017F, a byte each; a blank: none.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(kLatin.size() == 0x180 - 0xc0);

constexpr bool isWide(std::uint32_t code) {
  return code >= 0x2e80 && code < 0x1f000 && !(code >= 0x3000 && code < 0x3040) && !(code >= 0xd800 && code < 0xf900) &&
         !(code >= 0xff00 && code < 0xff66);
}
/// A sign, not a letter: no part of a word.
constexpr bool isApart(std::uint32_t code) {
  return code < 0xc0 || (code >= 0x2000 && code < 0x2e80) || (code >= 0x3000 && code < 0x3040) || code >= 0x1f000 ||
         (code >= 0xd800 && code < 0xf900) || (code >= 0xfe00 && code < 0xff66);
}

void appendUtf8(std::string& out, std::uint32_t code) {
  if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      out += static_cast<char>(0xe0 | code >> 12);
    } else {
      out += static_cast<char>(0xf0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 63));
    }
    out += static_cast<char>(0x80 | (code >> 6 & 63));
  }
  out += static_cast<char>(0x80 | (code & 63));
}

/// Greek and Cyrillic capitals.
constexpr std::uint32_t lowerOf(std::uint32_t code) {
  return (code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f) ? code + 0x20 : code;
}

char letterOf(Language language) {
  return language == Language::French ? 'f' : 'e';
}
std::size_t numberOf(Language language) {
  return language == Language::French ? 1 : 0;
}

}  // namespace

bool WordSplitter::next(std::string_view& word) {
  while (given_ == ranges_.size()) {
    if (!readRun()) return false;
  }
  const Range range = ranges_[given_++];
  word = std::string_view(run_).substr(range.from, range.to - range.from);
  return true;
}

/// Reads one run of letters and digits; false at the end of the text.
bool WordSplitter::readRun() {
  run_.clear();
  ranges_.clear();
  parts_.clear();
  given_ = 0;
  wide_ = 0;
  before_ = '\0';
  while (at_ < text_.size() && !text::isWordByte(text_[at_])) ++at_;
  if (at_ >= text_.size()) return false;
  // A run without an end is read in pieces.
  while (at_ < text_.size() && run_.size() < 4096) {
    const char c = text_[at_];
    if (text::isHigh(c)) {
      const std::size_t from = at_;
      readHigh();
      if (at_ == from) break;
      continue;
    }
    if (!text::isWordByte(c)) break;
    if (c == '_' || (text::isUpper(c) && (text::isLower(before_) || text::isDigit(before_)))) endPart();
    wide_ = 0;
    run_ += text::lower(c);
    before_ = c;
    ++at_;
  }
  while (!run_.empty() && run_.back() == '_') run_.pop_back();
  if (run_.empty()) return true;
  endPart();
  std::size_t start = 0;
  while (start < run_.size() && run_[start] == '_') ++start;
  const bool parted = parts_.size() > 1;
  if (run_.size() - start <= kLongest) emit(start, run_.size());
  for (std::size_t i = 0; parted && i < parts_.size(); ++i) {
    const std::size_t from = i == 0 ? 0 : parts_[i - 1];
    const std::size_t begin = from + (run_[from] == '_' ? run_.find_first_not_of('_', from) - from : 0);
    if (begin < parts_[i] && parts_[i] - begin <= kLongest) emit(begin, parts_[i]);
  }
  return true;
}

/// A part of the name ends here, unless nothing is in it.
void WordSplitter::endPart() {
  const std::size_t from = parts_.empty() ? 0 : parts_.back();
  if (run_.find_first_not_of('_', from) != std::string::npos) parts_.push_back(run_.size());
}

void WordSplitter::readHigh() {
  const auto [code, bytes] = text::decode(text_, at_);
  // Accents that stand by themselves belong to the letter before them.
  if (code >= 0x300 && code < 0x370) {
    at_ += bytes;
    return;
  }
  if (bytes == 1 || isApart(code) || code == 0xd7 || code == 0xf7) {
    // Ends the run; where it would be empty, the sign is passed over.
    if (run_.empty()) at_ += bytes;
    return;
  }
  at_ += bytes;
  if (isWide(code)) {
    addWide(code);
    return;
  }
  wide_ = 0;
  before_ = 'a';
  if (code >= 0x180) {
    appendUtf8(run_, lowerOf(code));
    return;
  }
  run_ += kLatin[code - 0xc0];
  if (code == 0xc6 || code == 0xe6 || code == 0x152 || code == 0x153) run_ += 'e';
  if (code == 0xdf) run_ += 's';
}

/// Pairs of wide characters are words: without spaces, nothing else is.
void WordSplitter::addWide(std::uint32_t code) {
  const std::size_t from = run_.size();
  appendUtf8(run_, code);
  if (wide_ != 0) emit(wide_ - 1, run_.size());
  wide_ = from + 1;
  before_ = 'a';
}

void Vocabulary::readStops(Language language, std::string_view words) {
  WordSplitter splitter(words);
  for (std::string_view word; splitter.next(word);) stops_[numberOf(language)].emplace(word, 1);
  read_ = {};
}

bool Vocabulary::isStop(Language language, std::string_view word) const {
  return stops_[numberOf(language)].find(word) != TextIndex::end();
}

Language Vocabulary::languageOf(std::string_view text) const {
  std::size_t english = 0, french = 0, words = 0;
  WordSplitter splitter(text);
  for (std::string_view word; words < kLanguageWords && splitter.next(word); ++words) {
    const bool inEnglish = isStop(Language::English, word), inFrench = isStop(Language::French, word);
    english += inEnglish && !inFrench;
    french += inFrench && !inEnglish;
  }
  return french > english ? Language::French : Language::English;
}

std::uint32_t Vocabulary::termOf(Language language, std::string_view word) {
  return known(language, word, true);
}
std::uint32_t Vocabulary::findTerm(Language language, std::string_view word) {
  return known(language, word, false);
}

std::uint32_t Vocabulary::known(Language language, std::string_view word, bool add) {
  key_.assign(1, letterOf(language));
  key_ += word;
  if (const auto* read = read_.find(key_)) return read->second;
  if (isStop(language, word)) return kStop;
  std::string term(1, letterOf(language));
  // A stem of a name in parts, or of digits, would be another name.
  const bool plain = std::all_of(word.begin(), word.end(), [](char c) { return text::isLower(c) || text::isHigh(c); });
  term += plain ? stemOf(language, word) : std::string(word);
  if (!add) {
    const auto* found = terms_.find(term);
    return found == TextIndex::end() ? kStop : found->second;
  }
  const std::uint32_t number = addTerm(term);
  if (read_.size() >= kMostRead) read_ = {};
  read_.emplace(key_, number);
  return number;
}

std::uint32_t Vocabulary::addTerm(std::string_view text) {
  const auto [entry, added] = terms_.emplace(text, static_cast<std::uint32_t>(places_.size()));
  if (added) places_.push_back(terms_.placeOf(entry));
  return entry->second;
}

void Vocabulary::clearTerms() {
  terms_ = {};
  places_.clear();
  read_ = {};
}

}  // namespace aetherflow
