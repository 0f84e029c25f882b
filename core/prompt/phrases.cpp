#include "core/prompt/phrases.hpp"

#include <iterator>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

/// One list a kind, in the order of PhraseKind: lower case, ' for any apostrophe, one blank for any white space.
constexpr std::string_view kPhrases[] = {
    // Greeting
    "hello\nhello there\nhi\nhi there\nhey\nhey there\ngood morning\ngood afternoon\ndear assistant\nbonjour\n"
    "bonsoir\nsalut\n",
    // Please
    "please\nkindly\nveuillez\nmerci de\nmerci de bien vouloir\nveuillez s'il vous plaît\n",
    // Request
    "i would like you to\ni'd like you to\ni want you to\ni need you to\ni am asking you to\ni'm asking you to\n"
    "i would really like you to\ni would appreciate it if you could\ni would really appreciate it if you could\n"
    "i'd appreciate it if you could\ni would be grateful if you could\nit would be great if you could\n"
    "it would be nice if you could\nit would be helpful if you could\ni was wondering if you could\n"
    "i was hoping you could\nwhat i need you to do is\nwhat i would like you to do is\nyour task is to\n"
    "your task will be to\nyour job is to\nyou are asked to\nje voudrais que tu\nje voudrais que vous\n"
    "j'aimerais que tu\nj'aimerais que vous\nje souhaite que tu\nje souhaite que vous\nje souhaiterais que tu\n"
    "je souhaiterais que vous\nj'aurais besoin que tu\nj'aurais besoin que vous\nil faudrait que tu\n"
    "il faudrait que vous\nje te demande de\nje vous demande de\nta tâche est de\nvotre tâche est de\n"
    "ta mission est de\nvotre mission est de\nton objectif est de\nvotre objectif est de\ncould you please\n"
    "can you please\nwould you please\ncould you kindly\nwould you kindly\n",
    // Question
    "could you\ncan you\nwould you\ncould you perhaps\npeux-tu\npouvez-vous\npourrais-tu\npourriez-vous\n"
    "est-ce que tu peux\nest-ce que tu pourrais\nest-ce que vous pouvez\nest-ce que vous pourriez\n",
    // Aside
    "it is important to note that\nit's important to note that\nit is worth noting that\nit's worth noting that\n"
    "it should be noted that\nplease note that\nplease keep in mind that\nplease be aware that\nas mentioned above\n"
    "as mentioned before\nas mentioned earlier\nas mentioned previously\nas stated above\nas stated earlier\n"
    "as i said\nas you know\nil est important de noter que\nil convient de noter que\nil faut noter que\n"
    "veuillez noter que\ncomme mentionné ci-dessus\ncomme mentionné plus haut\ncomme indiqué plus haut\n"
    "comme indiqué ci-dessus\ncomme tu le sais\ncomme vous le savez\n",
    // Closing
    "thank you\nthanks\nmany thanks\nthank you very much\nthank you so much\nthanks a lot\nthank you in advance\n"
    "thanks in advance\nthank you very much in advance\nthank you so much in advance\nbest regards\nkind regards\n"
    "i hope you are doing well\ni hope you're doing well\ni hope this message finds you well\n"
    "i hope this finds you well\ni look forward to your response\nlooking forward to your response\n"
    "i look forward to seeing your work\nlet me know if you have any questions\n"
    "please let me know if you have any questions\nfeel free to ask if you have any questions\nmerci\n"
    "merci beaucoup\nmerci d'avance\nmerci par avance\nun grand merci\nun grand merci d'avance\n"
    "merci beaucoup d'avance\nmerci infiniment\ncordialement\nbien à vous\nbien cordialement\n"
    "j'espère que tu vas bien\nj'espère que vous allez bien\n",
    // Thanks
    "i appreciate your\ni really appreciate your\nje te remercie\nje vous remercie\n",
    // Reason
    "for your\nfor all your\nfor the help\npour ton\npour ta\npour votre\nde ton aide\nde votre aide\n",
    // Inside
    "s'il te plaît\ns'il vous plaît\ns'il te plait\ns'il vous plait\nsvp\nstp\n",
};

// Over pointers: in the library of newer compilers a string_view's iterator costs several steps of constant evaluation where a
// pointer costs one, and clang 21 then runs out of them.
constexpr std::size_t count(char wanted) {
  std::size_t sum = 0;
  for (const std::string_view list : kPhrases) {
    const char* const end = list.data() + list.size();
    for (const char* c = list.data(); c != end; ++c) sum += wanted == 0 || *c == wanted ? 1 : 0;
  }
  return sum;
}

/// All phrases, ordered by the compiler: those that begin with one letter lie together. Each ends with a line end.
struct PhraseIndex {
  constexpr PhraseIndex() {
    std::size_t written = 0;
    std::size_t phrases = 0;
    for (unsigned letter = 0; letter < 32; ++letter) {
      from[letter] = static_cast<unsigned char>(phrases);
      for (std::size_t kind = 0; kind < std::size(kPhrases); ++kind) {
        bool begins = true;
        bool wanted = false;
        const char* const end = kPhrases[kind].data() + kPhrases[kind].size();
        for (const char* next = kPhrases[kind].data(); next != end; ++next) {
          const char c = *next;
          if (begins) wanted = letterOf(c) == letter;
          if (begins && wanted) {
            kinds[phrases] = static_cast<unsigned char>(kind);
            at[phrases++] = static_cast<std::uint16_t>(written);
          }
          if (wanted) text[written++] = c;
          begins = c == '\n';
        }
      }
    }
    from[32] = static_cast<unsigned char>(phrases);
  }
  /// Five bits, the same for both cases.
  static constexpr unsigned letterOf(char c) { return c & 31u; }

  char text[count(0)] = {};
  std::uint16_t at[count('\n')] = {};
  unsigned char kinds[count('\n')] = {};
  unsigned char from[33] = {};
};
static_assert(count('\n') < 256);
constexpr PhraseIndex kIndex;

constexpr text::List kWorkVerbs =
    "add\nanalyse\nanalyze\nbuild\ncheck\ncompare\ncomplete\nconvert\ncreate\ndefine\ndescribe\ndesign\ndevelop\n"
    "document\ndraft\nestimate\nevaluate\nexamine\nexplain\nextract\nfind\nfix\ngenerate\ngive\nhelp\nidentify\n"
    "implement\nimprove\nlist\nmake\noptimise\noptimize\noutline\nprepare\nproduce\npropose\nprovide\nrefactor\n"
    "remove\nreview\nrewrite\nshow\nsuggest\nsummarise\nsummarize\ntell\ntest\ntranslate\nupdate\nwalk\nwrite\n"
    "ajouter\naméliorer\nanalyser\ncomparer\ncompléter\nconcevoir\nconstruire\nconvertir\ncorriger\ncréer\ndécrire\n"
    "développer\ndocumenter\ndonner\nécrire\nélaborer\névaluer\nexpliquer\nextraire\nfaire\nfournir\ngénérer\n"
    "identifier\nimplémenter\nlister\nme\noptimiser\npréparer\nproduire\nproposer\nréaliser\nrédiger\nrefactoriser\n"
    "relire\nrésumer\nsupprimer\ntester\ntraduire\ntrouver\nvérifier\n";

constexpr text::List kPleaseObjects =
    "the\na\nan\nyour\nmy\nour\ntheir\nhis\nher\nhim\nthem\nme\nus\neveryone\neverybody\npeople\nusers\ncustomers\n"
    "both\nany\nsome\nof\nto\nas\nis\nwas\nare\nwith\nvotre\nton\nta\ntes\nvos\nla\nle\nles\nm\nl\n";

/// Bytes that the phrase, which ends with a line end, takes at `at`, or 0.
std::size_t lengthAt(std::string_view s, std::size_t at, const char* phrase) {
  std::size_t i = at;
  for (char before = 0; *phrase != '\n'; before = *phrase++) {
    if (i >= s.size()) return 0;
    const char want = *phrase;
    if (want == ' ') {
      const std::size_t from = i;
      while (i < s.size() && text::isSpace(s[i]) && i - from < 80) ++i;
      if (i == from) return 0;
    } else if (want == '\'') {
      if (s[i] != '\'' && !text::startsWith(s.substr(i), "’")) return 0;
      i += s[i] == '\'' ? 1 : 3;
    } else {
      const auto byte = static_cast<unsigned char>(s[i]);
      const bool capital = before == '\xc3' && byte >= 0x80 && byte <= 0x9e && byte != 0x97;
      const char have = capital ? static_cast<char>(byte + 0x20) : text::lower(s[i]);
      if (have != want) return 0;
      ++i;
    }
  }
  const bool wordEnds =
      i == s.size() || (!text::isWordByte(s[i]) && s[i] != '-' && s[i] != '\'') || text::startsWith(s.substr(i), "…");
  return wordEnds ? i - at : 0;
}

bool isIn(std::string_view word, const text::List& list) {
  return word.size() <= 24 && text::isListed(text::lowered(word), list);
}

}  // namespace

PhraseMatch matchPhrase(std::string_view text, std::size_t at, std::uint32_t kinds) {
  PhraseMatch best;
  if (at >= text.size()) return best;
  const char second = at + 1 < text.size() ? text::lower(text[at + 1]) : '\0';
  const unsigned letter = PhraseIndex::letterOf(text[at]);
  for (unsigned i = kIndex.from[letter]; i < kIndex.from[letter + 1]; ++i) {
    const char* phrase = kIndex.text + kIndex.at[i];
    if ((kinds >> kIndex.kinds[i] & 1) == 0 || (text::isLower(phrase[1]) && phrase[1] != second)) continue;
    const std::size_t length = lengthAt(text, at, phrase);
    if (length > best.length) best = {length, static_cast<PhraseKind>(kIndex.kinds[i])};
  }
  return best;
}

bool isWorkVerb(std::string_view word) {
  return isIn(word, kWorkVerbs);
}
bool isPleaseObject(std::string_view word) {
  return isIn(word, kPleaseObjects);
}

}  // namespace aetherflow
