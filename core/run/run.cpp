#include "core/run/run.hpp"

#include "core/run/machine.hpp"

namespace aetherflow {

Run::Run(PlanLimits limits, const PhaseTable& phases) : machine_(std::make_unique<Machine>(limits, phases)) {}
Run::~Run() = default;

ErrorCode Run::planBytes(std::string_view bytes, TimeMs now) {
  return machine_->planBytes(bytes, now);
}
ErrorCode Run::planEnd(TimeMs now) {
  return machine_->planEnd(now);
}
ErrorCode Run::begin(std::string_view optionsJson, TimeMs now) {
  return machine_->begin(optionsJson, now);
}
ErrorCode Run::signal(EventKind kind, const double* values, TimeMs now) {
  return machine_->signal(kind, values, now);
}
ErrorCode Run::tick(TimeMs now) {
  return machine_->tick(now);
}
ErrorCode Run::prompted(CallId call, std::uint32_t tokens, std::uint32_t stripped, TimeMs now) {
  return machine_->prompted(call, tokens, stripped, now);
}
bool Run::withheld() const {
  return machine_->withheld_;
}
ErrorCode Run::refused(const Refused& event, TimeMs now) {
  return machine_->refused(event, now);
}
ErrorCode Run::freed(ProviderIndex provider, ModelIndex model, TimeMs now) {
  return machine_->freed(provider, model, now);
}
ErrorCode Run::started(const Started& event, TimeMs now) {
  return machine_->started(event, now);
}
ErrorCode Run::firstToken(CallId call, TimeMs now) {
  return machine_->firstToken(call, now);
}
ErrorCode Run::progress(CallId call, std::uint32_t tokens, TimeMs now) {
  return machine_->progress(call, tokens, now);
}
ErrorCode Run::succeeded(const Succeeded& event, TimeMs now) {
  return machine_->succeeded(event, now);
}
ErrorCode Run::failed(const Failed& event, TimeMs now) {
  return machine_->failed(event, now);
}
ErrorCode Run::checked(CallId call, bool pass, TimeMs now) {
  return machine_->checked(call, pass, now);
}
ErrorCode Run::verdict(CallId judge, Verdict verdict, TimeMs now, std::int64_t number) {
  return machine_->verdict(judge, verdict, number, now);
}
ErrorCode Run::limitsSeen(const LimitsSeen& event, TimeMs now) {
  return machine_->limitsSeen(event, now);
}
ErrorCode Run::wallClock(std::int64_t epochMs, TimeMs now) {
  return machine_->wallClock(epochMs, now);
}
ErrorCode Run::recalled(StepIndex step, TimeMs now, bool joined) {
  return machine_->recalled(step, joined, now);
}
ErrorCode Run::expanded(StepIndex step, TimeMs now) {
  return machine_->expanded(step, now);
}
ErrorCode Run::weighed(StepIndex step, std::uint32_t tokens, std::uint32_t file, TimeMs now) {
  return machine_->weighed(step, tokens, file, now);
}
ErrorCode Run::retrieved(StepIndex step, std::uint32_t tokens, TimeMs now) {
  return machine_->retrieved(step, tokens, now);
}
ErrorCode Run::looked(const Looked& event, TimeMs now) {
  return machine_->looked(event, now);
}
ErrorCode Run::stored(StepIndex step, bool admitted, TimeMs now) {
  return machine_->stored(step, admitted, now);
}
ErrorCode Run::cancelStep(StepIndex step, TimeMs now, Reason reason) {
  return machine_->cancelStep(step, reason, now);
}
ErrorCode Run::cancelRun(TimeMs now) {
  return machine_->cancelRun(now);
}
const CommandBuffer& Run::drain() {
  return machine_->drain();
}
TimeMs Run::nextWake() const {
  return machine_->nextWake();
}
bool Run::finished() const {
  return machine_->finished_;
}
Outcome Run::outcome() const {
  return machine_->outcome_;
}
const Error& Run::error() const {
  return machine_->error();
}
const std::vector<Error>& Run::errors() const {
  return machine_->errors();
}
std::uint32_t Run::stepCount() const {
  return machine_->reader_.stepCount();
}
ErrorCode Run::promptBegin(CallId call) {
  return machine_->promptBegin(call);
}
ErrorCode Run::promptToLook(StepIndex step, ProviderIndex provider) {
  return machine_->promptToLook(step, provider);
}
ConstraintLevel Run::promptLevel() const {
  return machine_->desk_.level();
}
ErrorCode Run::promptFile(std::string_view path, std::string_view text) {
  machine_->desk_.file(path, text);
  return ErrorCode::None;
}
ErrorCode Run::promptDependency(StepIndex step, std::string_view text) {
  return machine_->promptDependency(step, text);
}
ErrorCode Run::promptAnswer(std::string_view answer, std::string_view issues) {
  machine_->desk_.answer(answer, issues);
  return ErrorCode::None;
}
const Prompt& Run::promptEnd() {
  return machine_->desk_.end(machine_->plan(), machine_->prefixes_, machine_->options_.strip);
}
std::int64_t Run::mostTokens(CallId call) const {
  return machine_->mostTokens(call);
}
Checked Run::check(StepIndex step, std::string_view answer) const {
  return machine_->check(step, answer);
}
const Plan& Run::plan() const {
  return machine_->plan();
}
const Table& Run::table() const {
  return machine_->table_;
}
const Router& Run::router() const {
  return machine_->router_;
}
const RunOptions& Run::options() const {
  return machine_->options_;
}
const std::vector<CallRecord>& Run::calls() const {
  return machine_->calls_;
}
const std::vector<StepRecord>& Run::steps() const {
  return machine_->steps_;
}
const Purse& Run::purse() const {
  return machine_->purse_;
}
const Slots& Run::slots() const {
  return machine_->slots_;
}
const Health& Run::health() const {
  return machine_->health_;
}
std::int64_t Run::microsPerToken(ModelIndex model) const {
  return machine_->reading_[model].microsPerToken(0);
}
Quotas& Run::quotas() {
  return machine_->quotas_;
}
const CellVisits& Run::visits() const {
  return machine_->visits_;
}
const CacheTotals& Run::cache() const {
  return machine_->cache_;
}
bool Run::planEnded() const {
  return machine_->planEnded_;
}
bool Run::begun() const {
  return machine_->begun_;
}
TimeMs Run::beganAt() const {
  return machine_->beganAt_;
}
TimeMs Run::now() const {
  return machine_->now_;
}

}  // namespace aetherflow
