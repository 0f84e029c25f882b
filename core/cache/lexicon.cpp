#include "core/cache/lexicon.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

// The lines of the packed text, in the order of generate.mjs.
enum Section : std::uint32_t {
  Stop,
  Negator,
  Ask,
  Type,
  Light,
  Number,
  Unit,
  Change,
  Shift,
  Question,
  Fresh,
  Act,
  Symmetric,
  Name,
  Form,
  Synonym,
  Opposite,
  Kind
};
constexpr std::uint32_t kFlagOf[] = {
    kStop,     kNegator, kAsk, kType,      kLight, kNumberWord, kUnit, kChange, kChange | kShift,
    kQuestion, kFresh,   kAct, kSymmetric, kName,  0,           0,     0,       0};
constexpr std::uint16_t kNumberMask = 0x3fff;

std::uint16_t codeOf(Relation relation, std::size_t number) {
  return static_cast<std::uint16_t>(static_cast<std::size_t>(relation) << 14 | (number & kNumberMask));
}

/// Takes the text up to `mark` off `rest`.
std::string_view cut(std::string_view& rest, char mark) {
  const std::size_t end = rest.find(mark);
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return piece;
}

void addCode(WordInfo& info, std::uint16_t code) {
  for (std::uint16_t& place : info.codes) {
    if (place == code) return;
    if (place != 0) continue;
    place = code;
    return;
  }
}

/// What other inflections are found by: the stems of the word, or of all words of the phrase.
std::string stemKey(Language language, const std::string& word) {
  std::string key;
  for (std::string_view rest = word; !rest.empty();) key += stemOf(language, cut(rest, '_')) + '_';
  return key;
}

}  // namespace

bool related(const WordInfo& a, const WordInfo& b, Relation relation) {
  for (const std::uint16_t code : a.codes) {
    if (code == 0) return false;
    if (code >> 14 != static_cast<int>(relation)) continue;
    const int other = relation == Relation::Opposite ? code ^ 1 : code;
    for (std::size_t i = 0; i < b.codes.size() && b.codes[i] != 0; ++i) {
      if (b.codes[i] == other) return true;
    }
  }
  return false;
}

WordInfo& Lexicon::Words::slot(TextIndex& index, const std::string& text) {
  const auto [entry, fresh] = index.emplace(text, static_cast<std::uint32_t>(infos.size()));
  if (fresh) infos.emplace_back();
  return infos[entry->second];
}

void Lexicon::note(Language language, const std::string& word, std::uint32_t flags, std::uint16_t code) {
  Words& words = words_[static_cast<std::size_t>(language)];
  WordInfo& info = words.slot(words.places, word);
  info.flags |= flags;
  if (code != 0) addCode(info, code);
  if (code != 0) addCode(words.slot(words.stems, stemKey(language, word)), code);
  const std::size_t gap = word.find('_');
  if (gap == std::string::npos) return;
  words.slot(words.places, word.substr(0, gap)).flags |= kPhrase;
  words.slot(words.stems, stemKey(language, word.substr(0, gap))).flags |= kPhrase;
}

void Lexicon::read(Language language, std::string_view packed) {
  Words& words = words_[static_cast<std::size_t>(language)];
  words.bases.resize(1);
  std::size_t numbers[4] = {};
  for (std::uint32_t section = Stop; section <= Kind; ++section) {
    std::string_view line = cut(packed, '\n');
    while (!line.empty()) {
      std::string_view entry = cut(line, ' ');
      if (section < Form) {
        const std::string word(cut(entry, '='));
        note(language, word, kFlagOf[section], 0);
        std::uint32_t value = 0;
        for (const char digit : entry) value = value * 10 + static_cast<std::uint32_t>(digit - '0');
        if (section == Number) words.numbers.emplace(word, value);
        continue;
      }
      const auto relation = static_cast<Relation>(section - Form);
      std::size_t number = ++numbers[section - Form] * (relation == Relation::Opposite ? 2 : 1);
      if (relation == Relation::Form) words.bases.emplace_back(entry.substr(0, entry.find('=')));
      while (!entry.empty()) {
        std::string_view pole = cut(entry, '/');
        // Names of one thing of a kind are synonyms.
        const bool names = relation == Relation::Kind && pole.find('=') != std::string_view::npos;
        const std::uint16_t same = names ? codeOf(Relation::Synonym, ++numbers[1]) : 0;
        while (!pole.empty()) {
          const std::string word(cut(pole, '='));
          note(language, word, 0, codeOf(relation, number));
          if (names) note(language, word, 0, same);
        }
        number += relation == Relation::Opposite;
      }
    }
  }
}

WordInfo Lexicon::find(Language language, const std::string& word) const {
  if (language == Language::Unknown) return {};
  const Words& words = words_[static_cast<std::size_t>(language)];
  WordInfo info;
  if (const auto* found = words.places.find(word)) info = words.infos[found->second];
  if (info.is(kStop)) return info;
  const bool listed = info.codes[0] != 0;
  if (baseOf(language, info).empty()) {
    // "cared" is no car: what is listed as a thing has plurals only.
    const bool verb = text::endsWith(word, "ed") || text::endsWith(word, "ing");
    const auto* found = words.stems.find(stemKey(language, word));
    for (std::size_t i = 0; found && i < info.codes.size(); ++i) {
      const std::uint16_t code = words.infos[found->second].codes[i];
      const int relation = code >> 14;
      if (code == 0 || (verb && relation == static_cast<int>(Relation::Kind))) continue;
      if (!listed || word.back() == 's' || relation == static_cast<int>(Relation::Synonym)) addCode(info, code);
    }
    if (found) info.flags |= words.infos[found->second].flags;
  }
  const std::string base(baseOf(language, info));
  if (base.empty() || base == word) return info;
  const WordInfo& own = words.infos[words.places.at(base)];
  info.flags |= own.flags & kName;
  for (const std::uint16_t code : own.codes) {
    if (code != 0) addCode(info, code);
  }
  return info;
}

std::string_view Lexicon::baseOf(Language language, const WordInfo& info) const {
  for (const std::uint16_t code : info.codes) {
    if (code == 0 || code >> 14 != static_cast<int>(Relation::Form)) continue;
    return words_[static_cast<std::size_t>(language)].bases[code & kNumberMask];
  }
  return {};
}

std::string Lexicon::numberOf(Language language, const std::string& word) const {
  if (language == Language::Unknown) return {};
  const auto* found = words_[static_cast<std::size_t>(language)].numbers.find(word);
  if (!found) return {};
  std::string digits;
  std::uint32_t value = found->second;
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
