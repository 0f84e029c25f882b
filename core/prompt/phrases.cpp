#include "core/prompt/phrases.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

struct Phrase {
  PhraseKind kind;
  std::string_view text;  // lower case, ' for any apostrophe, one blank for any white space
};

using enum PhraseKind;

constexpr Phrase kPhrases[] = {
    {Greeting, "hello"},
    {Greeting, "hello there"},
    {Greeting, "hi"},
    {Greeting, "hi there"},
    {Greeting, "hey"},
    {Greeting, "hey there"},
    {Greeting, "good morning"},
    {Greeting, "good afternoon"},
    {Greeting, "dear assistant"},
    {Greeting, "bonjour"},
    {Greeting, "bonsoir"},
    {Greeting, "salut"},

    {Please, "please"},
    {Please, "kindly"},
    {Please, "veuillez"},
    {Please, "merci de"},
    {Please, "merci de bien vouloir"},
    {Please, "veuillez s'il vous plaît"},

    {Request, "i would like you to"},
    {Request, "i'd like you to"},
    {Request, "i want you to"},
    {Request, "i need you to"},
    {Request, "i am asking you to"},
    {Request, "i'm asking you to"},
    {Request, "i would really like you to"},
    {Request, "i would appreciate it if you could"},
    {Request, "i would really appreciate it if you could"},
    {Request, "i'd appreciate it if you could"},
    {Request, "i would be grateful if you could"},
    {Request, "it would be great if you could"},
    {Request, "it would be nice if you could"},
    {Request, "it would be helpful if you could"},
    {Request, "i was wondering if you could"},
    {Request, "i was hoping you could"},
    {Request, "what i need you to do is"},
    {Request, "what i would like you to do is"},
    {Request, "your task is to"},
    {Request, "your task will be to"},
    {Request, "your job is to"},
    {Request, "you are asked to"},
    {Request, "je voudrais que tu"},
    {Request, "je voudrais que vous"},
    {Request, "j'aimerais que tu"},
    {Request, "j'aimerais que vous"},
    {Request, "je souhaite que tu"},
    {Request, "je souhaite que vous"},
    {Request, "je souhaiterais que tu"},
    {Request, "je souhaiterais que vous"},
    {Request, "j'aurais besoin que tu"},
    {Request, "j'aurais besoin que vous"},
    {Request, "il faudrait que tu"},
    {Request, "il faudrait que vous"},
    {Request, "je te demande de"},
    {Request, "je vous demande de"},
    {Request, "ta tâche est de"},
    {Request, "votre tâche est de"},
    {Request, "ta mission est de"},
    {Request, "votre mission est de"},
    {Request, "ton objectif est de"},
    {Request, "votre objectif est de"},

    {Question, "could you"},
    {Question, "can you"},
    {Question, "would you"},
    {Request, "could you please"},
    {Request, "can you please"},
    {Request, "would you please"},
    {Request, "could you kindly"},
    {Request, "would you kindly"},
    {Question, "could you perhaps"},
    {Question, "peux-tu"},
    {Question, "pouvez-vous"},
    {Question, "pourrais-tu"},
    {Question, "pourriez-vous"},
    {Question, "est-ce que tu peux"},
    {Question, "est-ce que tu pourrais"},
    {Question, "est-ce que vous pouvez"},
    {Question, "est-ce que vous pourriez"},

    {Aside, "it is important to note that"},
    {Aside, "it's important to note that"},
    {Aside, "it is worth noting that"},
    {Aside, "it's worth noting that"},
    {Aside, "it should be noted that"},
    {Aside, "please note that"},
    {Aside, "please keep in mind that"},
    {Aside, "please be aware that"},
    {Aside, "as mentioned above"},
    {Aside, "as mentioned before"},
    {Aside, "as mentioned earlier"},
    {Aside, "as mentioned previously"},
    {Aside, "as stated above"},
    {Aside, "as stated earlier"},
    {Aside, "as i said"},
    {Aside, "as you know"},
    {Aside, "il est important de noter que"},
    {Aside, "il convient de noter que"},
    {Aside, "il faut noter que"},
    {Aside, "veuillez noter que"},
    {Aside, "comme mentionné ci-dessus"},
    {Aside, "comme mentionné plus haut"},
    {Aside, "comme indiqué plus haut"},
    {Aside, "comme indiqué ci-dessus"},
    {Aside, "comme tu le sais"},
    {Aside, "comme vous le savez"},

    {Closing, "thank you"},
    {Closing, "thanks"},
    {Closing, "many thanks"},
    {Closing, "thank you very much"},
    {Closing, "thank you so much"},
    {Closing, "thanks a lot"},
    {Closing, "thank you in advance"},
    {Closing, "thanks in advance"},
    {Closing, "thank you very much in advance"},
    {Closing, "thank you so much in advance"},
    {Closing, "best regards"},
    {Closing, "kind regards"},
    {Closing, "i hope you are doing well"},
    {Closing, "i hope you're doing well"},
    {Closing, "i hope this message finds you well"},
    {Closing, "i hope this finds you well"},
    {Closing, "i look forward to your response"},
    {Closing, "looking forward to your response"},
    {Closing, "i look forward to seeing your work"},
    {Closing, "let me know if you have any questions"},
    {Closing, "please let me know if you have any questions"},
    {Closing, "feel free to ask if you have any questions"},
    {Closing, "merci"},
    {Closing, "merci beaucoup"},
    {Closing, "merci d'avance"},
    {Closing, "merci par avance"},
    {Closing, "un grand merci"},
    {Closing, "un grand merci d'avance"},
    {Closing, "merci beaucoup d'avance"},
    {Closing, "merci infiniment"},
    {Closing, "cordialement"},
    {Closing, "bien à vous"},
    {Closing, "bien cordialement"},
    {Closing, "j'espère que tu vas bien"},
    {Closing, "j'espère que vous allez bien"},

    {Thanks, "i appreciate your"},
    {Thanks, "i really appreciate your"},
    {Thanks, "je te remercie"},
    {Thanks, "je vous remercie"},

    {Reason, "for your"},
    {Reason, "for all your"},
    {Reason, "for the help"},
    {Reason, "pour ton"},
    {Reason, "pour ta"},
    {Reason, "pour votre"},
    {Reason, "de ton aide"},
    {Reason, "de votre aide"},

    {Inside, "s'il te plaît"},
    {Inside, "s'il vous plaît"},
    {Inside, "s'il te plait"},
    {Inside, "s'il vous plait"},
    {Inside, "svp"},
    {Inside, "stp"},
};

constexpr std::string_view kWorkVerbs[] = {
    "add",       "analyse",    "analyze",     "build",        "check",     "compare",   "complete",   "convert",
    "create",    "define",     "describe",    "design",       "develop",   "document",  "draft",      "estimate",
    "evaluate",  "examine",    "explain",     "extract",      "find",      "fix",       "generate",   "give",
    "help",      "identify",   "implement",   "improve",      "list",      "make",      "optimise",   "optimize",
    "outline",   "prepare",    "produce",     "propose",      "provide",   "refactor",  "remove",     "review",
    "rewrite",   "show",       "suggest",     "summarise",    "summarize", "tell",      "test",       "translate",
    "update",    "walk",       "write",       "ajouter",      "améliorer", "analyser",  "comparer",   "compléter",
    "concevoir", "construire", "convertir",   "corriger",     "créer",     "décrire",   "développer", "documenter",
    "donner",    "écrire",     "élaborer",    "évaluer",      "expliquer", "extraire",  "faire",      "fournir",
    "générer",   "identifier", "implémenter", "lister",       "me",        "optimiser", "préparer",   "produire",
    "proposer",  "réaliser",   "rédiger",     "refactoriser", "relire",    "résumer",   "supprimer",  "tester",
    "traduire",  "trouver",    "vérifier",
};

constexpr std::string_view kPleaseObjects[] = {
    "the",      "a",         "an",     "your",  "my",        "our",  "their", "his",  "her", "him", "them", "me", "us",
    "everyone", "everybody", "people", "users", "customers", "both", "any",   "some", "of",  "to",  "as",   "is", "was",
    "are",      "with",      "votre",  "ton",   "ta",        "tes",  "vos",   "la",   "le",  "les", "m",    "l",
};

/// Bytes that `phrase` takes at `at`, or 0.
std::size_t lengthAt(std::string_view s, std::size_t at, std::string_view phrase) {
  std::size_t i = at;
  for (std::size_t p = 0; p < phrase.size(); ++p) {
    if (i >= s.size()) return 0;
    const char want = phrase[p];
    if (want == ' ') {
      const std::size_t from = i;
      while (i < s.size() && text::isSpace(s[i]) && i - from < 80) ++i;
      if (i == from) return 0;
    } else if (want == '\'') {
      if (s[i] != '\'' && !text::startsWith(s.substr(i), "’")) return 0;
      i += s[i] == '\'' ? 1 : 3;
    } else {
      const auto byte = static_cast<unsigned char>(s[i]);
      const bool capital = p > 0 && phrase[p - 1] == '\xc3' && byte >= 0x80 && byte <= 0x9e && byte != 0x97;
      const char have = capital ? static_cast<char>(byte + 0x20) : text::lower(s[i]);
      if (have != want) return 0;
      ++i;
    }
  }
  const bool wordEnds =
      i == s.size() || (!text::isWordByte(s[i]) && s[i] != '-' && s[i] != '\'') || text::startsWith(s.substr(i), "…");
  return wordEnds ? i - at : 0;
}

template <std::size_t N>
bool isIn(std::string_view word, const std::string_view (&list)[N]) {
  if (word.size() > 24) return false;
  const std::string lower = text::lowered(word);
  for (const std::string_view entry : list) {
    if (lower == entry) return true;
  }
  return false;
}

}  // namespace

PhraseMatch matchPhrase(std::string_view text, std::size_t at, std::uint32_t kinds) {
  PhraseMatch best;
  if (at >= text.size()) return best;
  const char first = text::lower(text[at]);
  for (const Phrase& phrase : kPhrases) {
    if (phrase.text[0] != first || (kinds & bit(phrase.kind)) == 0) continue;
    const std::size_t length = lengthAt(text, at, phrase.text);
    if (length > best.length) best = {length, phrase.kind};
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
