// Rows of numbers that the host makes events and the report of; texts that were stripped before.

#include "core/run/rows.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/prompt/strip_memory.hpp"

namespace aetherflow::testing {
namespace {

constexpr const char* kPlan =
    R"({"task_id":"t","description":"d","steps":[
        {"id":"a","type":"other","description":"x","complexity":0.5,"estimated_tokens":10,"dependencies":[]},
        {"id":"b","type":"other","description":"y","complexity":0.5,"estimated_tokens":10,"dependencies":["a"]}]})";

template <class Field>
double at(const std::vector<double>& row, Field field) {
  return row[static_cast<std::size_t>(field)];
}

std::vector<double> callRow(const aetherflow::Run& run, CallId call) {
  std::vector<double> row(kCallRow, 77);
  writeCallRow(run, call, row.data());
  return row;
}
std::vector<double> stepRow(const aetherflow::Run& run, StepIndex step) {
  std::vector<double> row(kStepRow, 77);
  writeStepRow(run, step, row.data());
  return row;
}

class Rows : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run_.begin(R"({"available":["deepseek"]})", 5), ErrorCode::None);
    ASSERT_EQ(run_.planBytes(kPlan, 5), ErrorCode::None);
    ASSERT_EQ(run_.planEnd(5), ErrorCode::None);
    run_.drain();
    ASSERT_EQ(run_.calls().size(), 1u);
  }
  aetherflow::Run run_;
};

TEST_F(Rows, OfACallThatRuns) {
  const std::vector<double> row = callRow(run_, 0);
  EXPECT_EQ(at(row, CallRow::Step), 0);
  EXPECT_EQ(at(row, CallRow::Purpose), static_cast<double>(Purpose::Main));
  EXPECT_EQ(at(row, CallRow::Outcome), -2);
  EXPECT_EQ(at(row, CallRow::ReadyAt), 0) << "since the run began";
  for (const CallRow unknown : {CallRow::EndedAt, CallRow::FirstTokenMs, CallRow::ResponseMs, CallRow::NetworkMs,
                                CallRow::Finish, CallRow::Check, CallRow::Leader})
    EXPECT_EQ(at(row, unknown), -1) << static_cast<int>(unknown);
}

TEST_F(Rows, OfACallThatSucceeded) {
  run_.firstToken(0, 15);
  Succeeded success;
  success.call = 0;
  success.tokens.in = 100;
  success.tokens.cached = 40;
  success.tokens.out = 20;
  success.tokens.reasoning = 8;
  success.providerMs = 7;
  ASSERT_EQ(run_.succeeded(success, 25), ErrorCode::None);
  const std::vector<double> row = callRow(run_, 0);
  EXPECT_EQ(at(row, CallRow::Outcome), -1);
  EXPECT_EQ(at(row, CallRow::EndedAt), 20);
  EXPECT_EQ(at(row, CallRow::FirstTokenMs), 10);
  EXPECT_EQ(at(row, CallRow::ResponseMs), 20);
  EXPECT_EQ(at(row, CallRow::NetworkMs), 13);
  EXPECT_EQ(at(row, CallRow::Input), 100);
  EXPECT_EQ(at(row, CallRow::Cached), 40);
  EXPECT_EQ(at(row, CallRow::Output), 20);
  EXPECT_EQ(at(row, CallRow::Reasoning), 8);
  EXPECT_EQ(at(row, CallRow::Estimated), 0);
  EXPECT_EQ(at(row, CallRow::PriceKnown), 1);
  EXPECT_EQ(at(row, CallRow::Cost), static_cast<double>(run_.purse().spent().usd));
  EXPECT_GT(at(row, CallRow::Cost), 0);
  const std::vector<double> step = stepRow(run_, 0);
  EXPECT_EQ(at(step, StepRow::State), static_cast<double>(StepState::Done));
  EXPECT_EQ(at(step, StepRow::SettledAt), 20);
  EXPECT_EQ(at(step, StepRow::Cost), at(row, CallRow::Cost));
}

TEST_F(Rows, OfStepsThatCameToNothing) {
  ASSERT_EQ(run_.cancelStep(0, 9), ErrorCode::None);
  Failed failed;
  failed.call = 0;
  failed.kind = FailureKind::Cancelled;
  ASSERT_EQ(run_.failed(failed, 10), ErrorCode::None);
  EXPECT_EQ(at(callRow(run_, 0), CallRow::Outcome), static_cast<double>(FailureKind::Cancelled));
  const std::vector<double> first = stepRow(run_, 0), second = stepRow(run_, 1);
  EXPECT_EQ(at(first, StepRow::State), static_cast<double>(StepState::Cancelled));
  EXPECT_EQ(at(first, StepRow::Reason), static_cast<double>(Reason::UserCancelled));
  EXPECT_EQ(at(second, StepRow::State), static_cast<double>(StepState::Skipped));
  EXPECT_EQ(at(second, StepRow::Cause), 0);
  EXPECT_EQ(at(second, StepRow::StartedAt), -1);
  EXPECT_EQ(at(second, StepRow::Failure), -1);
}

TEST(StripMemory, GivesWhatStrippingGives) {
  StripMemory memory;
  // More texts than places, most of them alike at their ends, each several times and out of order.
  std::vector<std::string> texts(2);
  texts.emplace_back(70'000, 'x');
  texts.back() += " Thank you!";
  texts[1] = "Please sort it.";
  for (int i = 0; i < 100; ++i)
    texts.push_back("Hello, could you please write part " + std::to_string(i) +
                    " of the parser, and test it thoroughly before you answer? Thank you in advance!");
  for (const int stride : {1, 7, 1, 13})
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string& text = texts[i * static_cast<std::size_t>(stride) % texts.size()];
      const Stripped expected = strip(text);
      const Stripped& found = memory.of(text);
      ASSERT_EQ(found.text, expected.text);
      ASSERT_EQ(found.tokensBefore, expected.tokensBefore);
      ASSERT_EQ(found.tokensAfter, expected.tokensAfter);
      ASSERT_EQ(found.removals.size(), expected.removals.size());
      for (std::size_t r = 0; r < expected.removals.size(); ++r) {
        EXPECT_EQ(found.removals[r].rule, expected.removals[r].rule);
        EXPECT_EQ(found.removals[r].bytes, expected.removals[r].bytes);
      }
    }
}

}  // namespace
}  // namespace aetherflow::testing
