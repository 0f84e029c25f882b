#include "core/cache/lexicon.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

// The lines of the packed text, in the order of generate.mjs.
enum Section : std::uint32_t {
  Stop,
  Negator,
  Opposite,
  Synonym,
  Number,
  Unit,
  Change,
  Shift,
  Question,
  Fresh,
  Act,
  Symmetric,
  Name
};
constexpr std::uint32_t kFlagOf[] = {kStop,   kNegator,         kOpposite, 0,      kNumberWord, kUnit,
                                     kChange, kChange | kShift, kQuestion, kFresh, kAct,        kSymmetric,
                                     kName};

/// Takes the text up to `mark` off `rest`.
std::string_view cut(std::string_view& rest, char mark) {
  const std::size_t end = rest.find(mark);
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return piece;
}

/// The number of a text, 0 when it is new. Valid until the next one is added.
std::uint32_t& slot(TextIndex& words, std::string_view text) {
  return words.emplace(text, 0).first->second;
}

void note(TextIndex& words, std::string_view word, std::uint32_t flags, std::uint32_t group) {
  std::uint32_t& packed = slot(words, word);
  packed |= flags;
  if (group != 0) packed |= (packed >> 13 & 511) == 0 ? group << 13 : packed >> 22 == 0 ? group << 22 : 0;
  const std::size_t gap = word.find('_');
  if (gap != std::string_view::npos) slot(words, word.substr(0, gap)) |= kPhrase;
}

}  // namespace

void Lexicon::read(Language language, std::string_view packed) {
  TextIndex& words = words_[static_cast<std::size_t>(language)];
  std::uint32_t group = 0;
  for (std::uint32_t section = Stop; section <= Name; ++section) {
    std::string_view line = cut(packed, '\n');
    while (!line.empty()) {
      std::string_view entry = cut(line, ' ');
      if (section == Opposite) slot(words, entry) = 1;  // the pair itself: "on/off"
      if (section == Number) {
        const std::string_view word = cut(entry, '=');
        std::uint32_t value = 0;
        for (const char digit : entry) value = value * 10 + static_cast<std::uint32_t>(digit - '0');
        slot(words, std::string("#").append(word)) = value;
        entry = word;
      }
      if (section == Synonym) ++group;
      while (!entry.empty()) {
        const char mark = section == Opposite ? '/' : section == Synonym ? '=' : ' ';
        note(words, cut(entry, mark), kFlagOf[section], section == Synonym ? group : 0);
      }
    }
  }
}

WordInfo Lexicon::find(Language language, const std::string& word) const {
  if (language == Language::Unknown) return {};
  const TextIndex& words = words_[static_cast<std::size_t>(language)];
  const auto* found = words.find(word);
  return {found == words.end() ? 0 : found->second};
}

bool Lexicon::opposite(Language language, std::string_view a, std::string_view b) const {
  const std::string first(a);
  const std::string second(b);
  return find(language, first + "/" + second).packed != 0 || find(language, second + "/" + first).packed != 0;
}

std::string Lexicon::numberOf(Language language, const std::string& word) const {
  if (!find(language, word).is(kNumberWord)) return {};
  std::string digits;
  std::uint32_t value = find(language, "#" + word).packed;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + value % 10));
    value /= 10;
  } while (value != 0);
  return digits;
}

std::string plain(std::string_view utf8) {
  // U+00E0–U+00FF without their accents; * stays as it is (æ, ð, ÷, ø, þ).
  constexpr std::string_view kBare = "aaaaaa*ceeeeiiii*nooooo**uuuuy*y";
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const text::CodePoint point = text::decode(utf8, at);
    const std::uint32_t value = point.value;
    const bool letter = point.bytes == 2 && value >= 0xc0 && value <= 0xff && kBare[value & 31] != '*';
    if (letter) {
      out += static_cast<char>(kBare[value & 31] - (value < 0xe0 ? 32 : 0));
    } else if (value == 0x152 || value == 0x153) {
      out += value == 0x152 ? "OE" : "oe";
    } else if (value == 0x2018 || value == 0x2019) {
      out += '\'';
    } else if (value == 0x201c || value == 0x201d || value == 0xab || value == 0xbb) {
      out += point.bytes == 1 ? utf8[at] : '"';
    } else if (value == 0xa0 || value == 0x202f || value == 0x2009) {
      out += ' ';
    } else {
      out += utf8.substr(at, point.bytes);
    }
    at += point.bytes;
  }
  return out;
}

std::string lowered(std::string_view plainText) {
  std::string out(plainText);
  for (char& c : out) c = text::lower(c);
  return out;
}

}  // namespace aetherflow
