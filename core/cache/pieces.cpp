#include "core/cache/pieces.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isAlpha;
using text::isDigit;
using text::isHigh;

bool has(std::string_view s, char c) {
  return s.find(c) != std::string_view::npos;
}

class Cutter {
 public:
  Cutter(std::string_view s, std::vector<Piece>& out) : s_(s), out_(out) {
    // A quote that is never closed is an inch or an apostrophe: then nothing is quoted.
    std::size_t quotes = 0;
    for (const char c : s) quotes += c == '"';
    pairedQuotes_ = quotes % 2 == 0;
  }

  void cut() {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= s_.size(); ++i) {
      if (i == 0 || text::isSpace(s_[i - 1])) symbols(i);
      if (i < s_.size() && !breaks(i)) continue;
      if (i > begin) run(s_.substr(begin, i - begin));
      begin = i + 1;
      if (i == s_.size()) break;
      const char c = s_[i];
      if (c == '`' || (c == '"' && pairedQuotes_)) quoted_ = !quoted_;
      if (c == '!' || c == '?' || c == '\n' || c == ';') start_ = true;
    }
  }

 private:
  bool breaks(std::size_t i) const {
    const char c = s_[i];
    if (c == ',') return !(i > 0 && i + 1 < s_.size() && isDigit(s_[i - 1]) && isDigit(s_[i + 1]));
    return text::isSpace(c) || has("()[]{}<>;!?\"`|*=~^", c);
  }

  /// "==", "()", "<?>" between blanks: what is asked about, where words have none.
  void symbols(std::size_t begin) {
    std::size_t end = begin;
    bool telling = false;
    while (end < s_.size() && !text::isSpace(s_[end])) {
      if (text::isWordByte(s_[end])) return;
      telling = telling || has("=<>()[]{}*+/\\^%#@~|&", s_[end]);
      ++end;
    }
    if (telling && s_.substr(begin, end - begin) != "&") put(s_.substr(begin, end - begin));
  }

  void put(std::string_view piece) {
    if (piece.empty()) return;
    out_.push_back({piece, quoted_, start_});
    start_ = false;
  }

  void run(std::string_view piece) {
    bool ends = false;
    while (!piece.empty() && has(".:'", piece.back())) {
      ends = ends || piece.back() != '\'';
      piece.remove_suffix(1);
    }
    while (!piece.empty() && piece[0] == '\'') piece.remove_prefix(1);
    bool wordy = false;
    for (const char c : piece) wordy = wordy || text::isWordByte(c);
    if (!wordy && piece != "&") return;
    const std::size_t letters = countLetters(piece);
    if (letters + 1 == piece.size() && has(piece, '\'')) {
      word(piece);
    } else if (splits(piece, letters, '/') || splits(piece, letters, '-')) {
      for (std::size_t at = 0; at < piece.size();) {
        const std::size_t end = std::min(piece.find(has(piece, '/') ? '/' : '-', at), piece.size());
        put(piece.substr(at, end - at));
        at = end + 1;
      }
    } else {
      put(piece);
    }
    start_ = start_ || ends;
  }

  static std::size_t countLetters(std::string_view s) {
    std::size_t letters = 0;
    for (std::size_t i = 0; i < s.size(); ++i) letters += letterAt(s, i);
    return letters;
  }

  /// "and/or", "well-known": letters around the mark. "/usr/lib" and "-v" are no such words.
  static bool splits(std::string_view s, std::size_t letters, char mark) {
    std::size_t marks = 0;
    for (const char c : s) marks += c == mark;
    return marks > 0 && marks <= (mark == '/' ? 1u : 3u) && letters + marks == s.size() && s[0] != mark;
  }

  /// l'erreur → l erreur; user's → user; don't stays.
  void word(std::string_view piece) {
    const std::size_t at = piece.find('\'');
    const std::string_view head = piece.substr(0, at);
    if (text::endsWith(piece, "n't") || text::endsWith(piece, "N'T")) {
      put(piece);
    } else if (text::isListed(head, "l\nd\nqu\nn\nj\ns\nc\nm\nt\n")) {
      put(head);
      put(piece.substr(at + 1));
    } else {
      put(head);
    }
  }

  std::string_view s_;
  std::vector<Piece>& out_;
  bool pairedQuotes_ = false;
  bool quoted_ = false;
  bool start_ = true;
};

}  // namespace

bool letterAt(std::string_view s, std::size_t i) {
  return i < s.size() && (isAlpha(s[i]) || isHigh(s[i]));
}

std::vector<Piece> cutIntoPieces(std::string_view text) {
  std::vector<Piece> pieces;
  Cutter(text, pieces).cut();
  return pieces;
}

}  // namespace aetherflow
