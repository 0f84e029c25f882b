// What the guards say about pairs, English and French. None of these pairs is in the development data.
#include <gtest/gtest.h>

#include "core/cache/guards.hpp"
#include "core/cache/lexical.hpp"
#include "tests/core/cache_testing.hpp"

namespace aetherflow {
namespace {

const Lexicon& lexicon() {
  static const Lexicon lexicon = testing::fullLexicon();
  return lexicon;
}

Finding pair(std::string_view a, std::string_view b) {
  const ReadSentence first = readSentence(lexicon(), a);
  const ReadSentence second = readSentence(lexicon(), b);
  return compare(first, second, likeness(embedLexically(first), embedLexically(second)));
}

std::string guardOf(std::string_view a, std::string_view b) {
  const std::string forth(name(pair(a, b).guard));
  EXPECT_EQ(forth, name(pair(b, a).guard)) << a << " / " << b;
  return forth;
}

struct Case {
  const char* guard;
  const char* a;
  const char* b;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(guardOf(c.a, c.b), c.guard) << c.a << " / " << c.b;
}

TEST(CacheGuards, NumbersUnitsAndIdentifiersMustAgree) {
  check({
      {"veto.hard", "How do I retry a request 3 times?", "How do I retry a request 5 times?"},
      {"veto.hard", "Set the limit to 10 MB in the config", "Set the limit to 10 GB in the config"},
      {"veto.hard", "Explain the function load_rows in the loader", "Explain the function save_rows in the loader"},
      {"veto.hard", "What does the file config.yaml hold?", "What does the file config.json hold?"},
      {"veto.hard", "What changed in version 2.10.0?", "What changed in version 2.11.0?"},
      {"veto.hard", "What does the option --force do?", "What does the option --quiet do?"},
      {"veto.kind", "What does the CPU do when idle?", "What does the GPU do when idle?"},
      {"veto.hard", "What does == do in this language?", "What does === do in this language?"},
      {"veto.hard", "Translate the phrase \"open sesame\" for me", "Translate the phrase \"good morning\" for me"},
      {"veto.hard", "Comment attendre 10 minutes dans un script ?", "Comment attendre 30 minutes dans un script ?"},
      {"clear", "Show the first 1,000 rows of the table", "Show the first 1000 rows of the table"},
      {"clear", "What are ten ways to sort a list?", "What are 10 ways to sort a list?"},
      {"clear", "What does `load_rows` do?", "What does \"load_rows\" do?"},
  });
}

TEST(CacheGuards, NamesMustAgreeInAnyCase) {
  check({
      {"veto.name", "How do I visit Portugal in winter?", "How do I visit Norway in winter?"},
      {"veto.name", "how do i install postgres on debian", "how do i install mysql on debian"},
      {"veto.name", "Did Nadia write the report?", "Did Oskar write the report?"},
      {"veto.name", "Quel est le climat de la Belgique ?", "Quel est le climat du Portugal ?"},
  });
}

TEST(CacheGuards, ThingsOfOneKindAreNotExchanged) {
  check({
      {"veto.kind", "How do I paint a wooden door?", "How do I paint a metal door at home?"},
      {"veto.kind", "What is the average weight of a parcel?", "What is the maximum weight of the parcels?"},
      {"veto.kind", "Show the address of every tenant", "What is the salary of each tenant?"},
      {"veto.kind", "Read the settings from a yaml document", "How do I read settings from an xml document?"},
      {"veto.kind", "Count the words of the essay", "Count the lines of the essay"},
      {"veto.kind", "Comment dresser un cheval ?", "Comment dresser un chien ?"},
      {"veto.kind", "Quelle est la moyenne des notes ?", "Quel est le maximum des notes ?"},
      {"clear", "How do I take a photo of a lion?", "How can I take pictures of lions?"},
      {"clear", "Compare the lion and the tiger", "Compare the tiger and the lion"},
  });
  EXPECT_EQ(pair("Buy a blue lamp", "Buy a red lamp").why(), "veto.name: blue/red");
}

TEST(CacheGuards, OneWordInManyFormsIsOne) {
  check({
      {"clear", "How do I turn on 2FA?", "How do I turn on two-factor authentication?"},
      {"clear", "Back up the DB", "Back up the database"},
      {"clear", "Deploying to k8s, how?", "How to deploy to Kubernetes?"},
      {"clear", "Which colour did the painter choose?", "What color was chosen by the painter?"},
      {"clear", "Who organised the catalogue?", "Who organizes the catalog?"},
      {"clear", "How do I sync the dirs?", "How do I synchronize the directories?"},
      {"clear", "Écris un test pour le panier", "Écrire un test pour le panier"},
  });
}

TEST(CacheGuards, HowTheAnswerIsAskedForIsNoSubject) {
  check({
      {"clear", "List all open tickets", "Show me all open tickets"},
      {"clear", "Could you please find the overdue invoices?", "Return the overdue invoices"},
      {"clear", "Which city is the largest in Peru?", "What is the biggest city in Peru?"},
      {"clear", "Is there a way to mute a channel?", "How can I mute a channel?"},
      {"clear", "Peux-tu afficher les factures ?", "Montre les factures"},
      {"clear", "What happens when the tank is full?", "Explain what happens when the tank is full"},
      {"clear", "Quel est le lac le plus profond ?", "Donne-moi le lac le plus profond"},
      {"escalate.qualifier", "Close the overdue tickets", "Show the overdue tickets"},
  });
  EXPECT_TRUE(pair("Close the overdue tickets", "Show the overdue tickets").closed);
}

TEST(CacheGuards, OtherQuestionsAreClosed) {
  for (const auto& [a, b] :
       {std::pair{"Who built the bridge?", "When was the bridge built?"},
        {"How many bridges cross the river?", "Which bridges cross the river?"},
        {"Can a parrot learn words?", "How can a parrot learn words?"},
        {"Which clerks know every client?", "Which clerks know some clients?"},
        {"What happens when the tank is full?", "When is the tank full?"},
        {"Explain what happens if the tank gets full", "Why does the tank get full?"},
        {"Que se passe-t-il quand le réservoir est plein ?", "Pourquoi le réservoir est-il plein ?"},
        {"Quelle est la démarche pour vider le réservoir ?", "Pourquoi vider le réservoir ?"},
        {"Quand le pont a-t-il été construit ?", "Où le pont a-t-il été construit ?"}}) {
    EXPECT_TRUE(pair(a, b).closed) << a << " / " << b;
    EXPECT_TRUE(pair(b, a).closed) << a << " / " << b;
  }
}

TEST(CacheGuards, OddPolarityIsVetoed) {
  check({
      {"veto.polarity", "How do I turn the night mode on?", "How do I turn the night mode off?"},
      {"veto.polarity", "How do I enable compression in the proxy?", "How do I disable compression in the proxy?"},
      {"veto.polarity", "Should we commit the lock file?", "Should we not commit the lock file?"},
      {"veto.polarity", "What must run before the migration?", "What must run after the migration?"},
      {"veto.polarity", "Are synchronous writes worth it?", "Are asynchronous writes worth it?"},
      {"veto.polarity", "Why doesn't the build finish?", "Why does the build finish?"},
      {"veto.polarity", "Which shops sell more than ten lamps?", "Which shops sell fewer than ten lamps?"},
      {"veto.polarity", "Find the oldest oak", "Find the newest oak"},
      {"veto.polarity", "Should the shop close before noon?", "Should the shop open after noon?"},
      {"veto.polarity", "Affiche les comptes actifs", "Affiche les comptes inactifs"},
      {"veto.polarity", "Comment activer le cache du serveur ?", "Comment désactiver le cache du serveur ?"},
      {"veto.polarity", "Pourquoi le test est lent ?", "Pourquoi le test n'est pas lent ?"},
      {"veto.polarity", "Que faire si le serveur est lent ?", "Que faire si le serveur n'est plus lent ?"},
      {"veto.polarity", "Quels comptes existent ?", "Quels comptes n'existent plus ?"},
      {"escalate.change", "Is the port open or not?", "Is the port open?"},
  });
  EXPECT_EQ(pair("How do I enable the cache?", "How do I disable the cache?").why(), "veto.polarity: enable/disable");
}

TEST(CacheGuards, AnEvenNumberOfTurnsIsNone) {
  EXPECT_FALSE(vetoes(pair("How can we be more patient?", "How can we be less impatient?").guard));
}

TEST(CacheGuards, ExchangedRolesAreVetoed) {
  check({
      {"veto.role", "Does the client trust the broker?", "Does the broker trust the client?"},
      {"veto.role", "Convert the image from png to webp", "Convert the image from webp to png"},
      {"veto.role", "Is a queue faster than a topic?", "Is a topic faster than a queue?"},
      {"veto.role", "Did the proxy call the worker?", "Was the proxy called by the worker?"},
      {"veto.role", "Translate the menu to Danish", "Translate the menu from Danish"},
      {"veto.role", "Which modules call the parser?", "Which modules does the parser call?"},
      {"veto.role", "Convertir un fichier CSV en JSON", "Convertir un fichier JSON en CSV"},
      {"veto.role", "Would he have paid her?", "Would she have paid him?"},
      {"clear", "Did the proxy call the worker?", "Was the worker called by the proxy?"},
      {"clear", "Compare threads and fibers", "Compare fibers and threads"},
      {"clear", "What is the difference between a mutex and a latch?",
       "What is the difference between a latch and a mutex?"},
  });
}

TEST(CacheGuards, WhatIsMerelySuspiciousEscalates) {
  check({
      {"escalate.substitution", "Write a poem about autumn leaves", "Write a poem about autumn storms"},
      {"escalate.qualifier", "Write a poem about leaves", "Write a poem about yellowed leaves"},
      {"escalate.change", "Are all the tests stable?", "Are some of the tests stable?"},
      {"escalate.surplus", "How do I sort a list?", "How do I sort a list in Haskell?"},
      {"clear", "How do I create a folder?", "How can I make a directory?"},
      {"clear", "How do I instal the package?", "How do I install the packages?"},
  });
}

TEST(CacheGuards, MinimalPairsAreClosed) {
  EXPECT_TRUE(pair("Paint the garden fence", "Paint the garden bench").closed);
  EXPECT_FALSE(pair("Paint the garden fence", "Paint the old garden fence").closed);
  EXPECT_TRUE(pair("Is Nadia a pilot?", "Did Nadia use to be a pilot?").closed);
  EXPECT_FALSE(pair("How do I create a folder?", "How can I make a directory?").closed);
}

TEST(CacheGuards, LanguagesThatNobodyReadsAreClosed) {
  const Finding unknown = pair("wie sortiert man bohnen schnell", "wie sortiert man erbsen schnell");
  EXPECT_EQ(unknown.guard, CacheGuard::Unknown);
  EXPECT_TRUE(unknown.closed);
  // Words alone tell the language where most of them are known.
  EXPECT_EQ(pair("delete empty folders recursively", "remove empty directories recursively").guard, CacheGuard::Clear);
  EXPECT_EQ(guardOf("How do I sort the list?", "Comment trier la liste ?"), "veto.language");
}

TEST(CacheGuards, WhatBelongsToAMomentAPersonOrAnActIsExactOnly) {
  std::string word;
  for (const char* text : {"What is the weather in Lyon?", "What are the latest figures?", "Where is my order?",
                           "Deploy the service to staging", "Quel temps fait-il aujourd'hui ?"}) {
    EXPECT_TRUE(onlyExact(readSentence(lexicon(), text), word)) << text;
  }
  for (const char* text : {"Explain how to deploy a service", "How do I sort a list?", "Résume le chapitre deux"}) {
    EXPECT_FALSE(onlyExact(readSentence(lexicon(), text), word)) << text;
  }
}

/// Prompts come from anywhere: no bytes may upset the reader, and long ones are not vouched for.
TEST(CacheGuards, AnyBytesAreRead) {
  constexpr std::string_view kMarks = " '\"-/.,$%=&09aZ\xc3\xa9\xe2\x80\x99\n`";
  Rng rng(9);
  for (int i = 0; i < 3000; ++i) {
    std::string a, b;
    for (std::uint32_t n = rng.below(60); n > 0; --n) a += static_cast<char>(rng.below(256));
    for (std::uint32_t n = rng.below(60); n > 0; --n) b += kMarks[rng.below(static_cast<std::uint32_t>(kMarks.size()))];
    EXPECT_EQ(pair(a, b).guard, pair(b, a).guard) << i;
    EXPECT_FALSE(vetoes(pair(a, a).guard));
  }
  std::string lengthy;
  for (std::size_t i = 0; i <= kMaxTokens; ++i) lengthy += "the word ";
  EXPECT_TRUE(pair(lengthy, lengthy).closed);
}

}  // namespace
}  // namespace aetherflow
