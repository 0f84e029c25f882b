// Phases are rows: a purpose that is not built yet becomes one by its row alone.

#include "core/run/phases.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/run/run.hpp"

namespace aetherflow::testing {
namespace {

constexpr const char* kPlan =
    R"({"task_id":"t","description":"d","steps":[{"id":"a","type":"testing","description":"do a","estimated_tokens":50},)"
    R"({"id":"b","type":"testing","description":"do b","dependencies":["a"]}]})";

Phase& row(PhaseTable& table, Purpose purpose) {
  return table[static_cast<std::size_t>(purpose)];
}

/// A judge of the first answer on the step's own route: reads it, and sends it back once.
PhaseTable withAnalysis() {
  PhaseTable table = kPhases;
  Phase& judge = row(table, Purpose::Analysis);
  judge = row(table, Purpose::Audit);
  judge.phase = Purpose::Analysis;
  judge.route = PhaseRoute::Step;
  judge.verdict = VerdictReader::None;
  judge.failedNote = Reason::AuditFailed;
  row(table, Purpose::Main).next = Purpose::Analysis;
  return table;
}

class Phases : public ::testing::Test {
 protected:
  Phases() : run_({}, table_) {
    EXPECT_EQ(run_.begin(R"({"available":["groq"]})", 0), ErrorCode::None);
    EXPECT_EQ(run_.planBytes(kPlan, 0), ErrorCode::None);
    EXPECT_EQ(run_.planEnd(0), ErrorCode::None);
  }
  /// The purposes of the calls handed out now, and what is delivered.
  std::string drain() {
    const CommandBuffer& commands = run_.drain();
    std::string words;
    for (std::size_t i = 0; i < commands.count(); ++i) {
      const double* record = commands.data() + i * kCommandStride;
      const auto kind = static_cast<CommandKind>(static_cast<int>(get(record, CommandField::Kind)));
      if (kind == CommandKind::Call)
        words +=
            " " + std::string(name(static_cast<Purpose>(static_cast<int>(get(record, CommandField::CallPurpose)))));
      if (kind == CommandKind::Deliver) words += " delivered";
    }
    return words;
  }
  void answer(CallId call) {
    Succeeded event;
    event.call = call;
    event.tokens = {10, 0, 20, 0};
    ASSERT_EQ(run_.succeeded(event, ++now_), ErrorCode::None) << run_.error().detail;
  }

  const PhaseTable table_ = withAnalysis();
  aetherflow::Run run_;
  TimeMs now_ = 0;
};

TEST_F(Phases, ARowAloneMakesAPurpose) {
  EXPECT_EQ(drain(), " main");
  answer(0);
  EXPECT_EQ(drain(), " analysis");
  EXPECT_EQ(run_.steps()[0].phase, Purpose::Analysis);
  answer(1);
  EXPECT_EQ(run_.steps()[0].state, StepState::Judging);
  EXPECT_EQ(drain(), "");
  ASSERT_EQ(run_.verdict(1, Verdict::Issues, ++now_), ErrorCode::None);
  EXPECT_EQ(drain(), " repair");
  answer(2);
  EXPECT_EQ(drain(), " delivered main");
  EXPECT_TRUE(run_.steps()[0].repaired);
  EXPECT_EQ(run_.steps()[0].audit, AuditState::None) << "nobody audited";
}

TEST_F(Phases, ItsFailureKeepsTheFirstAnswer) {
  drain();
  answer(0);
  drain();
  Failed failure;
  failure.call = 1;
  failure.kind = FailureKind::Auth;
  ASSERT_EQ(run_.failed(failure, ++now_), ErrorCode::None);
  EXPECT_EQ(drain(), " delivered main");
  EXPECT_EQ(run_.steps()[0].state, StepState::Done);
}

TEST_F(Phases, AVerdictThatIsNotDueIsRefused) {
  drain();
  EXPECT_EQ(run_.verdict(0, Verdict::Pass, 1), ErrorCode::RunIllegalEvent);
  answer(0);
  drain();
  answer(1);
  EXPECT_EQ(run_.verdict(1, Verdict::Patch, now_), ErrorCode::RunIllegalEvent) << "a word of a later feature";
  EXPECT_EQ(run_.verdict(0, Verdict::Pass, now_), ErrorCode::RunIllegalEvent) << "the call of another phase";
  EXPECT_EQ(run_.verdict(1, Verdict::Pass, now_), ErrorCode::None);
}

TEST(PhaseRows, EveryBuiltPhaseLeadsToBuiltOnes) {
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    const Phase& one = kPhases[i];
    if (!one.built) continue;
    for (const Purpose next : {one.phase, one.next, one.onIssues, one.onBroken})
      EXPECT_TRUE(next == kNoPhase || kPhases[static_cast<std::size_t>(next)].built)
          << name(static_cast<Purpose>(i)) << " leads to " << name(next);
    EXPECT_EQ(one.judges(), one.role == PromptRole::Judge || one.role == PromptRole::Asked)
        << name(static_cast<Purpose>(i));
    EXPECT_TRUE(one.failure != PhaseFailure::FailsStep || one.writesAnswer())
        << "a judge's failure cannot be its step's";
    EXPECT_EQ(one.goesOn(), one.goesOn() && one.onBroken != kNoPhase) << "it goes on with a phase";
    EXPECT_TRUE(!one.aside() || (one.onIssues == kNoPhase && one.onBroken == kNoPhase)) << "it moves no step";
  }
}

}  // namespace
}  // namespace aetherflow::testing
