#pragma once
// Texts as the words that are searched for.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/stem.hpp"
#include "core/base/text_index.hpp"

namespace aetherflow {

/// Hands out the words of a text, lower case and without accents: runs of letters and digits. Of a name in parts the
/// whole and its parts (`max_tokens`: max_tokens, max, tokens; `readFile` likewise); of scripts without spaces pairs of
/// characters. Runs without parts that are longer than 48 bytes are no words (keys, base64) and are left out.
class WordSplitter {
 public:
  explicit WordSplitter(std::string_view text) : text_(text) {}
  /// The next word, valid until the next call; false at the end.
  bool next(std::string_view& word);

 private:
  bool readRun();
  void readHigh();
  void endPart();
  void addWide(std::uint32_t code);
  void emit(std::size_t from, std::size_t to) { ranges_.push_back({from, to}); }

  struct Range {
    std::size_t from, to;
  };
  std::string_view text_;
  std::size_t at_ = 0;
  std::string run_;
  std::vector<Range> ranges_;  // words that were found in run_, not yet given out from `given_` on
  std::size_t given_ = 0;
  std::vector<std::size_t> parts_;  // where parts begin in run_
  std::size_t wide_ = 0;            // where the last wide character of the run begins, +1
  char before_ = '\0';
};

/// Words of two languages that carry no meaning, and the numbers of all others.
class Vocabulary {
 public:
  static constexpr std::uint32_t kStop = UINT32_MAX;

  /// Stop words, separated by blanks.
  void readStops(Language language, std::string_view words);
  bool isStop(Language language, std::string_view word) const;
  /// By the stop words in it: French where more of its words are French ones, else English. Of a text its first 4,000
  /// words count.
  Language languageOf(std::string_view text) const;

  /// The number of a word's stem in a language, kStop for a stop word. A new one gets the next number.
  std::uint32_t termOf(Language language, std::string_view word);
  /// As termOf, without adding anything: kStop also for what is unknown.
  std::uint32_t findTerm(Language language, std::string_view word);
  std::size_t size() const { return places_.size(); }
  /// `e` or `f`, and the stem.
  const std::string& termText(std::uint32_t term) const { return terms_.textAt(places_[term]); }
  std::uint32_t addTerm(std::string_view text);
  /// Forgets all terms, and keeps the stop words.
  void clearTerms();

 private:
  std::uint32_t known(Language language, std::string_view word, bool add);

  TextIndex stops_[2];
  TextIndex terms_;                    // language and stem → number
  std::vector<std::uint32_t> places_;  // of the numbers, in terms_
  TextIndex read_;                     // language and word as it is written → number: stems are cut once
  std::string key_;
};

}  // namespace aetherflow
