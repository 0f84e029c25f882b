// The rules of strip(), one table each: what goes, and what looks alike and stays.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/strip.hpp"

namespace aetherflow {
namespace {

struct Case {
  std::string from;
  std::string to;
};

class PromptStrip : public testing::TestWithParam<Case> {};

TEST_P(PromptStrip, GivesExactly) {
  const Case& it = GetParam();
  const Stripped result = strip(it.from);
  EXPECT_EQ(result.text, it.to);
  EXPECT_EQ(strip(result.text).text, result.text);
}

Case same(const std::string& text) {
  return {text, text};
}

INSTANTIATE_TEST_SUITE_P(
    English, PromptStrip,
    testing::Values(
        Case{"Please write a parser.", "Write a parser."}, Case{"please write a parser", "write a parser"},
        Case{"Please, please, please write it.", "Write it."},
        Case{"Could you please write a parser?", "Write a parser."}, Case{"Could you explain it?", "Explain it."},
        Case{"Could you also explain it?", "Also explain it."},
        Case{"I would like you to write a parser.", "Write a parser."}, Case{"I’d like you to write it.", "Write it."},
        Case{"Hello, please sort it.", "Sort it."}, Case{"Hello!\n\nSort it.", "Sort it."},
        Case{"Sort it. Thank you in advance!", "Sort it."}, Case{"Sort it.\nThanks.", "Sort it."},
        Case{"Sort it. Thank you for your help and patience.", "Sort it."},
        Case{"If it is missing, please create it.", "If it is missing, create it."},
        Case{"Sort it, please.", "Sort it."}, Case{"Sort it and please print it.", "Sort it and print it."},
        Case{"- Please sort it.\n- Thank you!\n- Print it.", "- Sort it.\n- Print it."},
        Case{"It is important to note that the file is large.", "The file is large."},
        Case{"As mentioned above, the file is large.", "The file is large."}, Case{"Thank you!", ""},
        Case{"Also, I'd like you to sort it.", "Also, sort it."},
        Case{"If it is missing, could you create it?", "If it is missing, create it."},
        Case{"Sort it, if you don't mind.", "Sort it."}, Case{"When you have a moment, please sort it.", "Sort it."},
        Case{"Sort it in order to win.", "Sort it to win."},
        Case{"Due to the fact that it is large, sort it.", "Because it is large, sort it."},
        Case{"Check each and every one of them.", "Check each of them."},
        Case{"I want you to act as an experienced developer. Sort it.", "Sort it."},
        Case{"As a senior developer, could you please sort it?", "Sort it."},
        Case{"Sort it. Good luck! Do not hesitate to reach out.", "Sort it."},
        Case{"Can you explain it?", "Explain it."}, Case{"Could you write tests or docs?", "Write tests or docs?"},
        Case{"These are the rules:\n- sort it\n\nThank you!", "These are the rules:\n- sort it"}));

INSTANTIATE_TEST_SUITE_P(French, PromptStrip,
                         testing::Values(Case{"S'il vous plaît, écrivez un analyseur.", "Écrivez un analyseur."},
                                         Case{"Écris, s'il te plaît, un analyseur.", "Écris, un analyseur."},
                                         Case{"Peux-tu écrire un analyseur, s’il te plaît ?", "Écrire un analyseur."},
                                         Case{"Pourriez-vous trier le fichier ?", "Pourriez-vous trier le fichier ?"},
                                         Case{"Je voudrais que tu rédiges un test.", "Rédige un test."},
                                         Case{"J'aimerais que vous vérifiiez la liste.", "Vérifiez la liste."},
                                         Case{"Je te demande de trier la liste.", "Trier la liste."},
                                         Case{"Trie la liste, si tu veux bien.", "Trie la liste."},
                                         Case{"Bon courage ! Trie la liste. Prends ton temps.", "Trie la liste."},
                                         Case{"Afin de pouvoir trier, lis tout.", "Pour trier, lis tout."},
                                         Case{"Merci de trier la liste.", "Trier la liste."},
                                         Case{"Veuillez trier la liste.", "Trier la liste."},
                                         Case{"Trie la liste. Merci d'avance !", "Trie la liste."},
                                         Case{"Trie la liste, stp.", "Trie la liste."}));

INSTANTIATE_TEST_SUITE_P(
    PoliteWordsThatMeanSomething, PromptStrip,
    testing::Values(
        same("Sort them as you please."), same("Please the customer with a gift."), same("Write what pleases users."),
        same("Can you access the file?"), same("Can you add a column to a table in use?"),
        same("Would you write tests for this?"), same("As a senior developer, I want to see the log."),
        same("You are a teacher of physics."), same("Act as an expert database engineer."),
        same("Show these texts:\n- Well done\n- Good luck!\n- Thank you!"), same("Show this text:\nGood luck!"),
        same("Tell me if you don't mind."), same("The blocks are in order to the left."),
        same("Basically the same code works."), same("When you get a chance, you take it."),
        same("What I want you to do is the following."), same("Ask 'please, could you' in order."),
        same("Je voudrais que tu écrives un test."), same("Je voudrais que tu analyses et compares les tests."),
        same("En raison du fait accompli, arrête."), same("Write a thank you letter."),
        same("Hello, world is what it prints."), same("Add tests if possible."),
        same("Feel free to rename the variables."), same("Merci de votre visite."),
        same("Print \"Please wait\" and go on."), same("Print `please` there."), same("Print 'could you' there."),
        same("Écris « s'il vous plaît » en haut."), same("Print “Thank you.” at the end."),
        same("I want you to read it and to sort it."), same("I want you to not use globals."),
        same("I would like you to never guess."), same("Translate the following: Please help me. Thank you."),
        same("Traduis ce texte : Merci d'avance."), same("> Please keep the quotation."),
        same("<letter>\nThank you!\n</letter>"), same("```\nPlease keep.\n```"), same("    Please keep the code."),
        same("| Please | keep |"), same("x = please(1)")));

INSTANTIATE_TEST_SUITE_P(
    Markup, PromptStrip,
    testing::Values(Case{"a\n\n---\n\nb", "a\n\nb"}, Case{"a\n\n=====\n\nb", "a\n\nb"},
                    Case{"a\n\n* * *\n\nb", "a\n\nb"}, Case{"Use **bold** words.", "Use bold words."},
                    Case{"Use *italic* words.", "Use italic words."}, Case{"## **Title**\n\ntext", "## Title\n\ntext"},
                    Case{"- **Name:** the name", "- Name: the name"}, Case{"a\n<!-- a remark -->\nb", "a\nb"},
                    Case{"a <!-- a remark --> b", "a b"}));

INSTANTIATE_TEST_SUITE_P(MarkupThatMeansSomething, PromptStrip,
                         testing::Values(same("Title\n=====\ntext"), same("The text:\n\n---\n\nsome\n\n---\n\nend"),
                                         same("Split at --- signs.\n\n---\n\nb"), same("---\ntitle: a\n---\nb"),
                                         same("Do **not** guess."), same("**Do not guess** here."),
                                         same("Set **3** values."), same("See **src/a.ts** there."),
                                         same("a ** b ** c"), same("2 * 3 * 4"), same("Match *.ts and *.js files."),
                                         same("Pass **kwargs and **options on."), same("__init__ and _private_"),
                                         same("**Context**\n\ntext"), same("a <!-- never touch 3 --> b"),
                                         same("a <!-- open"), same("[text](https://a.b/c?utm_source=x)"),
                                         same("| a |\n| --- |\n| b |")));

INSTANTIATE_TEST_SUITE_P(Blanks, PromptStrip,
                         testing::Values(Case{"a  \nb\t\n", "a\nb"}, Case{"a\n\n\n\nb", "a\n\nb"},
                                         Case{"a\n \n \nb", "a\n\nb"}, Case{"\n\n  a", "  a"},
                                         Case{"a\r\n\r\n\r\n\r\nb", "a\r\n\r\nb"}, Case{" \n\t\n", ""}, Case{"", ""},
                                         same("a  b"), same("a\n  b"),
                                         Case{"a  \n```\nx  \n\n\n\ny\n```\n\n\n\nb", "a\n```\nx  \n\n\n\ny\n```\n\nb"},
                                         same("    x\n\n\n\n    y"), same("\"a  \n\n\n b\"")));

INSTANTIATE_TEST_SUITE_P(
    Repetitions, PromptStrip,
    testing::Values(
        Case{"Write tests for every function. Be brief. Write tests for every function.",
             "Write tests for every function. Be brief."},
        Case{"Write tests for every function.\n\nwrite  tests for\nevery function.", "Write tests for every function."},
        Case{"Write tests for every function.\n\n## Reminder\n\nAs a reminder, write tests for every function. Be "
             "brief.",
             "Write tests for every function.\n\n## Reminder\n\nBe brief."},
        Case{"Never use any global variable. Be brief. Never use any global variable.",
             "Never use any global variable. Be brief."},
        Case{"Open `a.txt` and sort its lines. Be brief. Open `a.txt` and sort its lines.",
             "Open `a.txt` and sort its lines. Be brief."},
        Case{"Example: red gives stop.\n\nExample: Red gives stop!\n\nEnd.", "Example: red gives stop.\n\nEnd."},
        Case{"Intro.\n\n" + std::string(90, 'x') + "\n\nMiddle.\n\n" + std::string(90, 'x') + "\n\nEnd.",
             "Intro.\n\n" + std::string(90, 'x') + "\n\nMiddle.\n\nEnd."}));

INSTANTIATE_TEST_SUITE_P(
    RepetitionsThatMeanSomething, PromptStrip,
    testing::Values(
        same("## Backend\n\nWrite tests for every function.\n\n## Frontend\n\nWrite tests for every function."),
        same("Backend:\nWrite tests for every function.\nFrontend:\nWrite tests for every function."),
        same("1. Run all of the tests there.\n2. Mend it.\n3. Run all of the tests there."),
        same("## Backend\n\nUse Java. Write tests for every function.\n\n## Frontend\n\nUse React. Write tests for "
             "every function."),
        same("Example:\n```\nx\n```\n\nExample:\n```\nx\n```\n\nEnd."), same("- red\n- green\n- red"),
        same("| a |\n| a |"), same("```\nrun the whole of it.\nrun the whole of it.\n```"),
        same("Sort the list of names. Then print the list. Sort the list of names again."),
        same("Never use any global variable. Be brief. never use any global variable."),
        same("Write It down but not twice. Be brief. Write it down but not twice."),
        same("Open `a.txt` and sort its lines. Open `b.txt` and sort its lines."),
        same("Wait for 3 seconds after that. Wait for 4 seconds after that."), same("Yes. No. Yes. No."),
        same("Example: 1 gives a.\n\nExample: 2 gives a."),
        same("Log etc. in the same way as before. Also log etc. in the same way as before")));

TEST(PromptStripReport, NamesEveryRule) {
  const Stripped result = strip(
      "Please write the whole parser.   \n\n\n\n---\n\nUse **bold** words. Please write the whole parser.\n\n"
      "Example: red gives stop.\n\nExample: red gives stop.\n\n" +
      std::string(90, 'x') + "\n\nMiddle.\n\n" + std::string(90, 'x'));
  std::string rules;
  for (const Removal& removal : result.removals) {
    rules += std::string(name(removal.rule)) + ' ';
    EXPECT_GT(removal.bytes, 0u);
  }
  EXPECT_EQ(rules, "pleasantry repeated_instruction redundant_example markup_noise blank_run duplicated_context ");
  EXPECT_LT(result.tokensAfter, result.tokensBefore);
}

// Each pass uncovers the next greeting: a text that does not settle comes back as it was, or strip would not be idempotent.
TEST(PromptStripReport, LeavesATextThatDoesNotSettle) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "Hello, ";
  text += "sort it.";
  const Stripped result = strip(text);
  EXPECT_EQ(result.text, text);
  EXPECT_TRUE(result.removals.empty());
  EXPECT_EQ(result.tokensAfter, result.tokensBefore);
  EXPECT_EQ(strip("Hello, hello, sort it.").text, "Sort it.");
}

TEST(PromptStripReport, SaysNothingWhenNothingGoes) {
  const Stripped result = strip("Write a parser.");
  EXPECT_TRUE(result.removals.empty());
  EXPECT_EQ(result.tokensBefore, result.tokensAfter);
}

}  // namespace
}  // namespace aetherflow
