#include "core/prompt/phrases.hpp"

#include <algorithm>
#include <iterator>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

// One list a kind, one phrase a line: lower case, ' for any apostrophe, one blank for any white space.
//   (a|b|)   one of the alternatives, the last of which may be empty; not nested, and not where a phrase begins
//   @ # %    one of kParts
//   >        what follows has to stand there, and stays
//   =        what follows is written instead

/// @: a role that says no more than that its player is good.
constexpr char kPraised[] =
    "a(n|)( highly|)( expert| experienced| senior| skilled| helpful)( senior| expert|)( software| ai|)"
    "( engineer| developer| programmer| assistant|)( with many years of experience| with years of experience|)\n";
/// #: the same in French.
constexpr char kPraisedInFrench[] = "( développeur| ingénieur logiciel| assistant)( senior| expérimenté| expert)\n";
/// %: when to ask.
constexpr char kUnclear[] = "( if anything is unclear| if you have any questions| if you have questions|)\n";
constexpr const char* kParts[] = {kPraised, kPraisedInFrench, kUnclear};

/// In the order of PhraseKind, from Greeting on: what stands at the head of a sentence, or is all of it.
constexpr std::string_view kOuter[] = {
    // Greeting
    "h(ello|i|ey)( there|)\ngood (morning|afternoon)\ndear assistant\nbonjour\nbonsoir\nsalut\n",
    // Request
    "i( would|'d)( really|) like (you to|to ask you to)\ni (want|need) you to\ni( am|'m) asking you to\n"
    "i( would|'d)( really|) appreciate it if you could\ni( would|'d) be( very|) (grateful|happy) if you could\n"
    "i was (wondering if|hoping) you could\nit would be( very|) (great|nice|helpful|good) if you could\n"
    "what i (need|want|would like) you to do is( to|)\nwhat i (need|want|would like) is for you to\n"
    "your (task|job|goal) (is|will be) to\nyou are asked to\n"
    "je voudrais (te|vous) demander de\nje (te|vous) (demande|prie) de( bien vouloir|)\n"
    "ta (tâche|mission) est de\nton (objectif|but) est de\nvotre (tâche|mission|objectif|but) est de\n"
    "ce que j'attends de (toi|vous)(,|) c'est de\n",
    // Ask
    "c(ould|an) you (please|kindly)\nwould you (please|kindly)\n",
    // Question
    "could you( perhaps|)\np(eux|ourrais)-tu\np(ouvez|ourriez)-vous\n"
    "est-ce que (tu peux|tu pourrais|vous pouvez|vous pourriez)\n",
    // Ability
    "can you( also|)\n",
    // Wish
    "j(e voudrais|'aimerais|e souhaite|e souhaiterais|'aurais besoin) que (tu|vous)\nil faudrait que (tu|vous)\n",
    // Aside
    "it( is|'s) (important to note|worth noting) that\nit should be noted that\n"
    "please (note|keep in mind|be aware) that\nas (mentioned|stated) (above|before|earlier|previously)\n"
    "as i said\nas you know\nil (est important de noter|convient de noter|faut noter) que\n"
    "veuillez noter que\ncomme (mentionné|indiqué) (ci-dessus|plus haut)\ncomme (tu le sais|vous le savez)\n",
    // Opening
    "basically\nto be honest\nà vrai dire\n",
    // Role
    "as @\nen tant que#\n",
    // Closing
    "thank(s| you)( a lot| so much| very much|)( in advance|)\nmany thanks\nbest regards\nkind regards\n"
    "i hope (you are|you're) doing well( today|)\ni hope this( message|) finds you well\n"
    "i look forward to (your response|seeing your work)\nlooking forward to your response\n"
    "let me know%\nfeel free to ask%\ndo(n't| not) hesitate to (ask|reach out|contact me)%\n"
    "help me with something\nyou are @\nact as @\n"
    "you can do (it|this)\ngood luck\ndo your best\ntake your time\n"
    "merci( beaucoup| infiniment|)( d'avance| par avance|)\nun grand merci( d'avance|)\ncordialement\n"
    "bien (cordialement|à vous)\nj'espère que (tu vas|vous allez) bien\n"
    "n'hésite(z|) pas( à demander| à me demander|)( si quelque chose n'est pas clair| si besoin|)\n"
    "bon courage\nbonne journée\nje compte sur (toi|vous)\nfais de ton mieux\nprends ton temps\n"
    "tu es un#\nvous êtes un#\n",
    // Thanks
    "i( really|) appreciate your\nje (te|vous) remercie\n",
    // Reason
    "for (your|all your|the help)\npour (ton|ta|votre)\nde (ton|votre) aide\n",
};

/// From Please on: what is looked for at every word.
constexpr std::string_view kInner[] = {
    // Please
    "please\nkindly\nveuillez\nmerci de( bien vouloir|)\nveuillez s'il vous plaît\n",
    // Inside
    "s'il (te|vous) pla(ît|it)\nsvp\nstp\n",
    // Condition
    "if you (don't|do not) mind\nif( it's| it is) not too much trouble\nwhen you (have|get) (a moment|a chance|time)\n"
    "si (cela|ça) ne (te|vous) dérange pas\nsi (tu veux|vous voulez) bien\n",
    // Frame
    "in order to=to\ndue to the fact that=because\neach and every( one|)=each\nmight possibly=might\n"
    "may possibly=may\nin the event that=if\ndans le but de=pour\nen raison du fait> qu=parce\n"
    "afin de pouvoir=pour\n",
};
constexpr unsigned kFirstInner = static_cast<unsigned>(PhraseKind::Please);
static_assert(std::size(kOuter) == kFirstInner);
constexpr std::uint32_t kOuterBits = (1u << kFirstInner) - 1;

/// Five bits, the same for both cases.
constexpr unsigned letterOf(char c) {
  return c & 31u;
}

// Over pointers, and each list twice only: in the library of newer compilers a string_view's iterator costs several steps of
// constant evaluation where a pointer costs one, and clang runs out of them.
template <std::size_t N>
constexpr std::size_t bytesOf(const std::string_view (&lists)[N]) {
  std::size_t sum = 0;
  for (const std::string_view& list : lists) {
    const char* const end = list.data() + list.size();
    for (const char* c = list.data(); c != end; ++c) sum += *c == '\n' ? 2 : 1;
  }
  return sum;
}

/// All phrases, ordered by the compiler: those that begin with one letter lie together. Each has its kind before it, as a letter
/// from A on, and a line end after it.
template <const auto& kLists, unsigned kFirstKind>
struct PhraseIndex {
  constexpr PhraseIndex() {
    std::uint16_t next[33] = {};
    each([&](const char* phrase, std::size_t length, unsigned) {
      next[letterOf(*phrase) + 1] = static_cast<std::uint16_t>(next[letterOf(*phrase) + 1] + length + 1);
    });
    for (unsigned letter = 0; letter < 32; ++letter)
      next[letter + 1] = static_cast<std::uint16_t>(next[letter + 1] + next[letter]);
    for (unsigned letter = 0; letter < 33; ++letter) from[letter] = next[letter];
    each([&](const char* phrase, std::size_t length, unsigned kind) {
      std::uint16_t& to = next[letterOf(*phrase)];
      text[to++] = static_cast<char>('A' + kind);
      for (std::size_t i = 0; i < length; ++i) text[to++] = phrase[i];
    });
  }
  template <class Visit>
  static constexpr void each(Visit visit) {
    for (unsigned kind = 0; kind < std::size(kLists); ++kind) {
      const char* const end = kLists[kind].data() + kLists[kind].size();
      const char* phrase = kLists[kind].data();
      for (const char* c = phrase; c != end; ++c) {
        if (*c != '\n') continue;
        visit(phrase, static_cast<std::size_t>(c - phrase) + 1, kind + kFirstKind);
        phrase = c + 1;
      }
    }
  }

  char text[bytesOf(kLists)] = {};
  std::uint16_t from[33] = {};
};
constexpr PhraseIndex<kOuter, 0> kOuterIndex;
constexpr PhraseIndex<kInner, kFirstInner> kInnerIndex;

constexpr text::List kWorkVerbs =
    "add\nanalyse\nanalyze\nbuild\ncheck\ncompare\ncomplete\nconvert\ncreate\ndefine\ndescribe\ndesign\ndevelop\n"
    "document\ndraft\nestimate\nevaluate\nexamine\nexplain\nextract\nfind\nfix\ngenerate\ngive\nhelp\nidentify\n"
    "implement\nimprove\nlist\nmake\noptimise\noptimize\noutline\nprepare\nproduce\npropose\nprovide\nrefactor\n"
    "remove\nreview\nrewrite\nshow\nsuggest\nsummarise\nsummarize\ntell\ntest\ntranslate\nupdate\nwalk\nwrite\n"
    "ajouter\naméliorer\nanalyser\ncomparer\ncompléter\nconcevoir\nconstruire\nconvertir\ncorriger\ncréer\ndécrire\n"
    "développer\ndocumenter\ndonner\nécrire\nélaborer\névaluer\nexpliquer\nextraire\nfaire\nfournir\ngénérer\n"
    "identifier\nimplémenter\nlister\nme\noptimiser\npréparer\nprésenter\nproduire\nproposer\nréaliser\nrédiger\n"
    "refactoriser\nrelire\nrésumer\nsupprimer\ntester\ntraduire\ntrouver\nvérifier\n";

constexpr text::List kTellingVerbs =
    "describe \nexplain \ngive me \ngive us \nhelp me \nhelp us \noutline \npropose \nprovide \nshow me \nshow us \nsuggest \n"
    "summarise \nsummarize \ntell me \ntell us \ntranslate \nwalk me \nwalk us \nwrite me \n";

constexpr text::List kPleaseObjects =
    "the\na\nan\nyour\nmy\nour\ntheir\nhis\nher\nhim\nthem\nme\nus\neveryone\neverybody\npeople\nusers\ncustomers\n"
    "both\nany\nsome\nof\nto\nas\nis\nwas\nare\nwith\nvotre\nton\nta\ntes\nvos\nla\nle\nles\nm\nl\n";

/// Moves `i` past the letter `*want` of a phrase; false: the text has another.
bool take(std::string_view s, std::size_t& i, const char* want) {
  if (*want == ' ') {
    const std::size_t from = i;
    while (i < s.size() && text::isSpace(s[i]) && i - from < 80) ++i;
    return i != from;
  }
  if (i >= s.size()) return false;
  if (*want == '\'') {
    const bool plain = s[i] == '\'';
    if (!plain && !text::startsWith(s.substr(i), "’")) return false;
    i += plain ? 1 : 3;
    return true;
  }
  const auto byte = static_cast<unsigned char>(s[i]);
  const bool capital = byte >= 0x80 && byte <= 0x9e && byte != 0x97 && want[-1] == '\xc3';
  if ((capital ? static_cast<char>(byte + 0x20) : text::lower(s[i])) != *want) return false;
  ++i;
  return true;
}

/// Where the longest form of a phrase ends that stands at `i`, or 0.
std::size_t longest(std::string_view s, std::size_t i, const char* phrase) {
  for (;; ++phrase) {
    switch (*phrase) {
      case '\n':
      case '=': {
        const bool wordEnds = i == s.size() || (!text::isWordByte(s[i]) && s[i] != '-' && s[i] != '\'') ||
                              text::startsWith(s.substr(i), "…");
        return wordEnds ? i : 0;
      }
      case '>': {
        std::size_t ahead = i;
        while (*++phrase != '=') {
          if (!take(s, ahead, phrase)) return 0;
        }
        return i;
      }
      case '(': {
        const char* rest = phrase;
        while (*rest != ')') ++rest;
        std::size_t best = 0;
        while (phrase != rest) {
          std::size_t to = i;
          bool same = true;
          while (*++phrase != '|' && phrase != rest) same = same && take(s, to, phrase);
          if (same) best = std::max(best, longest(s, to, rest + 1));
        }
        return best;
      }
      case '@':
      case '#':
      case '%':
        i = longest(s, i, kParts[*phrase == '@' ? 0 : *phrase == '#' ? 1 : 2]);
        if (i == 0) return 0;
        break;
      default:
        if (!take(s, i, phrase)) return 0;
    }
  }
}

/// `phrases`: those with the first letter of the text at `at`, up to `end`.
void matchIn(const char* phrases, const char* end, std::string_view text, std::size_t at, std::uint32_t kinds,
             PhraseMatch& best) {
  // Most phrases are refused by their second letter. A mark in its place may stand for several.
  const char second = at + 1 < text.size() ? text::lower(text[at + 1]) : '\0';
  while (phrases != end) {
    const auto kind = static_cast<PhraseKind>(*phrases - 'A');
    const char* const phrase = phrases + 1;
    while (*phrases++ != '\n') {
    }
    if ((kinds & bit(kind)) == 0 || (text::isLower(phrase[1]) && phrase[1] != second)) continue;
    const std::size_t to = longest(text, at, phrase);
    if (to <= at + best.length) continue;
    best = {to - at, kind, {}};
    if (kind != PhraseKind::Frame) continue;
    const std::string_view line(phrase, static_cast<std::size_t>(phrases - phrase) - 1);
    best.instead = line.substr(line.find('=') + 1);
  }
}

bool isIn(std::string_view word, const text::List& list) {
  return word.size() <= 24 && text::isListed(text::lowered(word), list);
}

}  // namespace

PhraseMatch matchPhrase(std::string_view text, std::size_t at, std::uint32_t kinds) {
  PhraseMatch best;
  if (at >= text.size()) return best;
  const unsigned letter = letterOf(text[at]);
  const auto look = [&](const auto& index) {
    matchIn(index.text + index.from[letter], index.text + index.from[letter + 1], text, at, kinds, best);
  };
  if ((kinds & kOuterBits) != 0) look(kOuterIndex);
  if ((kinds & ~kOuterBits) != 0) look(kInnerIndex);
  return best;
}

bool isWorkVerb(std::string_view word) {
  return isIn(word, kWorkVerbs);
}
bool tellsSomething(std::string_view text) {
  return text::listedPrefix(text, kTellingVerbs, true) != 0;
}
bool isPleaseObject(std::string_view word) {
  return isIn(word, kPleaseObjects);
}

}  // namespace aetherflow
