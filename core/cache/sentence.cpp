#include "core/cache/sentence.hpp"

#include <algorithm>

#include "core/cache/pieces.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isDigit;
using text::isLower;
using text::isUpper;

bool has(std::string_view s, char c) {
  return s.find(c) != std::string_view::npos;
}

/// "1,000" → 1000, "007" → 7, "1.50" → 1.5; "" when it is no plain number.
std::string canonicalNumber(std::string_view s) {
  std::string out;
  bool point = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == ',') continue;
    if (s[i] == '.' && !point && i > 0) {
      point = true;
    } else if (!isDigit(s[i])) {
      return {};
    }
    out += s[i];
  }
  while (point && (out.back() == '0' || out.back() == '.')) {
    point = out.back() != '.';
    out.pop_back();
  }
  std::size_t zeros = 0;
  while (zeros + 1 < out.size() && out[zeros] == '0' && out[zeros + 1] != '.') ++zeros;
  return out.substr(zeros);
}

/// Spelt like an identifier: digits among letters, or marks inside, or a capital after a small letter.
bool isIdentifier(std::string_view s) {
  if ((s[0] == '-' && s.size() > 1) || !(text::isWordByte(s[0]) || has("-./@$", s[0]))) return true;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (isDigit(s[i]) || has("_/\\:@.%$", s[i])) return true;
    if (i > 0 && isUpper(s[i]) && isLower(s[i - 1])) return true;
  }
  return false;
}

bool isAcronym(std::string_view s) {
  if (s.size() > 2 && s.back() == 's') s.remove_suffix(1);
  for (const char c : s) {
    if (!isUpper(c)) return false;
  }
  return s.size() >= 2;
}

/// ".csv": the format, as if it stood without its point.
bool isExtension(std::string_view s) {
  if (s.size() < 3 || s.size() > 6 || s[0] != '.') return false;
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (!text::isAlpha(s[i])) return false;
  }
  return true;
}

class Classifier {
 public:
  Classifier(const Lexicon& lexicon, const std::vector<Piece>& pieces, ReadSentence& out)
      : lexicon_(lexicon), pieces_(pieces), out_(out) {}

  void classify() {
    out_.language = languageOf();
    std::size_t words = 0;
    std::size_t capitals = 0;
    std::size_t shouted = 0;
    for (const Piece& piece : pieces_) {
      if (!letterAt(piece.text, 0)) continue;
      shouted += isAcronym(piece.text);
      if (lexicon_.find(out_.language, lowered(piece.text)).is(kStop)) continue;
      ++words;
      capitals += isUpper(piece.text[0]);
    }
    // In A Title, or IN A SHOUT, capitals mark nothing.
    titled_ = words > 4 && capitals * 5 > words * 4;
    shouted_ = shouted > 2 && shouted * 2 > words;
    for (std::size_t i = 0; i < pieces_.size(); ++i) i += take(i);
    bounds();
  }

 private:
  Language languageOf() const {
    // A stop word tells more of its language than any number of others: "table" is of both. And a language of which few
    // words are known is another one.
    std::size_t stops[2] = {};
    std::size_t known[2] = {};
    std::size_t words = 0;
    for (const Piece& piece : pieces_) {
      const std::string word = lowered(piece.text);
      words += letterAt(piece.text, 0);
      for (const Language language : {Language::English, Language::French}) {
        const WordInfo info = lexicon_.find(language, word);
        stops[static_cast<std::size_t>(language)] += info.is(kStop | kNegator | kQuestion);
        known[static_cast<std::size_t>(language)] += info.known();
      }
    }
    std::size_t votes[2] = {};
    for (int i = 0; i < 2; ++i)
      votes[i] = stops[i] * kMaxTokens + (known[i] * 3 > words * (stops[i] == 0 ? 2 : 0) ? known[i] : 0);
    if (votes[0] == votes[1]) return Language::Unknown;
    return votes[0] > votes[1] ? Language::English : Language::French;
  }

  /// "keep the page from loading".
  bool keepsFrom(std::size_t i) const {
    if (!text::isListed(out_.tokens[i].key, "keep\nstop\nblock\nban\n")) return false;
    for (std::size_t next = i + 2; next + 1 < out_.tokens.size() && next < i + 7; ++next) {
      if (out_.tokens[next].word == "from") return text::endsWith(out_.tokens[next + 1].word, "ing");
    }
    return false;
  }

  /// "all files but those of the folder".
  bool excludes(std::size_t i) const {
    if (out_.tokens[i].word != "but") return false;
    for (std::size_t j = i - std::min<std::size_t>(i, 4); j < i; ++j) {
      if (text::isListed(out_.tokens[j].word, "all\nevery\nany\neveryone\neverything\neach\nnobody\nnothing\n"))
        return true;
    }
    return false;
  }

  /// "n'est plus": no longer.
  bool noLonger(std::size_t i) const {
    if (out_.tokens[i].word != "plus") return false;
    for (std::size_t j = i - std::min<std::size_t>(i, 4); j < i; ++j) {
      if (text::isListed(out_.tokens[j].word, "n\nne\n")) return true;
    }
    return false;
  }

  /// "over 30" is "more than 30"; "over the hill" is not.
  void bounds() {
    for (std::size_t i = 0; i < out_.tokens.size(); ++i) {
      if (noLonger(i)) out_.tokens[i].info.flags |= kNegator;
    }
    for (std::size_t i = 0; i + 1 < out_.tokens.size(); ++i) {
      Token& token = out_.tokens[i];
      if (keepsFrom(i) || excludes(i)) token.info.flags |= kNegator;
      if (out_.tokens[i + 1].kind != TokenKind::Number) continue;
      if (text::isListed(token.word, "over\nabove\n")) token.info = lexicon_.find(out_.language, "more_than");
      if (text::isListed(token.word, "under\nbelow\n")) token.info = lexicon_.find(out_.language, "less_than");
    }
  }

  /// Classifies piece `i`; returns how many more it took.
  std::size_t take(std::size_t i) {
    const Piece& piece = pieces_[i];
    Token token;
    token.word = lowered(isExtension(piece.text) ? piece.text.substr(1) : piece.text);
    token.sentenceStart = piece.start;
    head_ = head_ || piece.start;
    if (token.word == "&") token.word = "and";
    token.info = lexicon_.find(out_.language, token.word);
    std::size_t more = 0;
    if (token.info.is(kPhrase)) more = phrase(i, token);
    const std::string base(lexicon_.baseOf(out_.language, token.info));
    if (more == 0 && base.empty() && quantity(piece.text, token)) return 0;
    token.key = stemOf(out_.language, base.empty() ? token.word : base);
    if (more > 0 || !lettered(i, token)) {
      const bool last = i + more + 1 >= pieces_.size();
      const bool asks = (head_ && token.info.is(kAsk)) || (afterWhich() && token.info.is(kType));
      token.kind = asks && !last ? TokenKind::Function : kindOf(piece, token, more > 0);
    }
    head_ = head_ && opens(token);
    // "jpg files" are jpgs.
    if (text::isListed(token.word, "file\nfiles\nfichier\nfichiers\n") && afterFormat()) token.info.flags |= kLight;
    out_.tokens.push_back(std::move(token));
    return more;
  }

  /// May stand before the verb of a request: "could you please list", "how do I find", "peux-tu afficher".
  static bool opens(const Token& token) {
    return text::isListed(
        token.word,
        "please\ncan\ncould\nwould\nyou\ni\nwe\nto\nhow\ndo\nme\nus\nwant\nneed\nlike\nhelp\nlet\njust\nkindly\n"
        "hi\nhello\nhey\npeux\npeut\npouvez\npourrais\npourriez\ntu\nvous\nje\non\ncomment\nveux\nvoudrais\n"
        "svp\nmoi\nfaut\nil\nbonjour\npuis\n");
  }

  bool afterFormat() const {
    if (out_.tokens.empty()) return false;
    const Token& before = out_.tokens.back();
    return before.kind == TokenKind::Hard ||
           related(before.info, lexicon_.find(Language::English, "json"), Relation::Kind) ||
           related(before.info, lexicon_.find(Language::English, "png"), Relation::Kind);
  }

  bool afterWhich() const {
    return !out_.tokens.empty() &&
           text::isListed(out_.tokens.back().word, "which\nwhat\nquel\nquelle\nquels\nquelles\n");
  }

  /// The longest listed phrase of up to five words that starts here.
  std::size_t phrase(std::size_t i, Token& token) const {
    std::string joined = token.word;
    std::size_t more = 0;
    for (std::size_t next = i + 1; next < pieces_.size() && next < i + 5; ++next) {
      if (pieces_[next].start || pieces_[next].quoted != pieces_[i].quoted) break;
      joined += '_' + lowered(pieces_[next].text);
      const WordInfo info = lexicon_.find(out_.language, joined);
      if (!info.known()) continue;
      token.word = joined;
      token.info = info;
      more = next - i;
    }
    return more;
  }

  TokenKind kindOf(const Piece& piece, Token& token, bool isPhrase) const {
    const bool afterNumber = !out_.tokens.empty() && out_.tokens.back().kind == TokenKind::Number;
    if (token.info.is(kUnit) && afterNumber) {
      token.key = stemOf(out_.language, token.word);  // "am" is no form of "be" here
      return TokenKind::Hard;
    }
    if (token.info.is(kNumberWord)) {
      token.key = lexicon_.numberOf(out_.language, token.word);
      if (!token.info.is(kStop)) return TokenKind::Number;
    }
    if (token.info.is(kNegator)) return TokenKind::Function;
    const bool acronym = !shouted_ && isAcronym(piece.text);
    if (token.info.is(kStop)) return acronym && token.info.is(kName) ? TokenKind::Name : TokenKind::Function;
    if (isPhrase) return phraseKind(token.info);
    // "DB", "k8s": listed as short for something, whatever its spelling looks like.
    const bool shortFor = !lexicon_.baseOf(out_.language, token.info).empty();
    if (isIdentifier(piece.text) && !isExtension(piece.text) && !shortFor) {
      token.key = token.word;
      return TokenKind::Hard;
    }
    if (token.info.is(kName)) return TokenKind::Name;
    if ((acronym && !shortFor) || (piece.quoted && token.word.size() > 1)) return TokenKind::Hard;
    const bool capital = isCapital(piece);
    return capital && !shortFor && token.word.size() > 1 ? TokenKind::Name : TokenKind::Content;
  }

  bool isCapital(const Piece& piece) const { return isUpper(piece.text[0]) && !piece.start && !titled_ && !shouted_; }

  /// "World War II", "dorm B": a number, or a name of one letter. "I" is one after a capital, at the end.
  bool lettered(std::size_t i, Token& token) const {
    const Piece& piece = pieces_[i];
    if (!isCapital(piece) || piece.text.size() > 4) return false;
    const std::size_t at = std::string_view("I   II  III IV  V   VI  VII VIIIIX  ")
                               .find(std::string(piece.text) + std::string(4 - piece.text.size(), ' '));
    const bool roman = at % 4 == 0 && (piece.text.size() > 1 || piece.text == "I");
    const bool one = piece.text == "I";
    if (one && !(i + 1 == pieces_.size() && i > 0 && isUpper(pieces_[i - 1].text[0]))) return false;
    if (roman) token.key.assign(1, static_cast<char>('1' + at / 4));
    if (roman) token.kind = TokenKind::Number;
    if (!roman && piece.text.size() == 1) token.kind = TokenKind::Hard;
    return roman || piece.text.size() == 1;
  }

  static TokenKind phraseKind(const WordInfo& info) {
    if (info.is(kName)) return TokenKind::Name;
    return info.is(kChange | kNegator) ? TokenKind::Function : TokenKind::Content;
  }

  /// "$5", "30", "7pm", "2nd": a number, and what is glued to it as a unit of its own.
  bool quantity(std::string_view s, const Token& token) {
    std::string_view unit;
    if (s.size() > 1 && s[0] == '#' && isDigit(s[1])) s.remove_prefix(1);
    for (const auto& [sign, name] : {std::pair<std::string_view, std::string_view>{"$", "usd"},
                                     {"€", "euro"},
                                     {"£", "gbp"},
                                     {"₹", "rupee"},
                                     {"Rs.", "rupee"}}) {
      if (!text::startsWith(s, sign)) continue;
      unit = name;
      s.remove_prefix(sign.size());
    }
    std::size_t digits = 0;
    while (digits < s.size() && (isDigit(s[digits]) || has(",.", s[digits]))) ++digits;
    const std::string number = canonicalNumber(s.substr(0, digits));
    if (digits == 0 || number.empty()) return false;
    std::string tail = lowered(s.substr(digits));
    const bool ordinal = tail == "st" || tail == "nd" || tail == "rd" || tail == "th";
    if (tail == "%") tail = "percent";
    for (std::size_t i = 0; i < tail.size(); ++i) {
      if (!letterAt(tail, i)) return false;
    }
    if (ordinal) tail.clear();
    if (tail.empty()) tail = unit;
    add(number, TokenKind::Number, token.sentenceStart);
    if (!tail.empty()) add(stemOf(out_.language, tail), TokenKind::Hard, false);
    return true;
  }

  void add(std::string key, TokenKind kind, bool start) {
    Token token;
    token.word = key;
    token.key = std::move(key);
    token.kind = kind;
    token.sentenceStart = start;
    out_.tokens.push_back(std::move(token));
  }

  const Lexicon& lexicon_;
  const std::vector<Piece>& pieces_;
  ReadSentence& out_;
  bool titled_ = false;
  bool shouted_ = false;
  bool head_ = true;  ///< nothing but words that ask for the answer so far
};

}  // namespace

ReadSentence readSentence(const Lexicon& lexicon, std::string_view utf8) {
  ReadSentence sentence;
  const std::string text = withOneQuote(plain(utf8));
  sentence.literals = literalsOf(text);
  std::vector<Piece> pieces = cutIntoPieces(text);
  const bool cutOff = pieces.size() > kMaxTokens;
  if (cutOff) pieces.resize(kMaxTokens);
  Classifier(lexicon, pieces, sentence).classify();
  if (cutOff || sentence.literals.count > kMaxLiterals) sentence.language = Language::Unknown;
  return sentence;
}

}  // namespace aetherflow
