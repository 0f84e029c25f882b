// How good are our schedules? Against proven optima, and when the estimates are off.
//
//   psplib [FOLDER] [--json] [--seed N] [--budget N] [--draws N]
//
// FOLDER holds PSPLIB .sm files (j30, j60, j90, j120) and, for the gaps, optimum/optimum.csv (problem,optimum).
// The draws of real durations come from std::exp and their own seeds, not from the sampler of the search.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "core/schedule/list_simulator.hpp"
#include "core/schedule/rollout.hpp"
#include "tests/core/carry_out.hpp"
#include "tests/core/longest_path.hpp"

#ifndef AETHERFLOW_ROOT
#define AETHERFLOW_ROOT "."
#endif

namespace {

using namespace aetherflow;

constexpr std::int64_t kUnitMs = 1000;                            // one time unit of the files
constexpr std::uint64_t kDrawSeeds[] = {0x5eed0001, 0x5eed0002};  // two independent sets of real durations
constexpr double kSpread = 2.0;

struct Options {
  std::string folder;
  bool json = false;
  int draws = 4;
  Rollout::Options rollout;
};

struct Instance {
  Project project;
  std::int64_t optimum = 0;  // 0 = not known
};

/// Sums over instances; divided at the end.
struct Sums {
  int instances = 0, withOptimum = 0, better = 0, worse = 0, draws = 0, drawsWorse = 0, drawsMuchWorse = 0;
  double fileGap = 0, longestGap = 0, rolloutGap = 0;
  double fileRatio[2] = {0, 0}, rolloutRatio[2] = {0, 0};
  double ms = 0, mostMs = 0;
};

double millisecondsSince(std::clock_t begin) {
  return static_cast<double>(std::clock() - begin) * 1000 / CLOCKS_PER_SEC;
}

std::vector<long> numbersIn(const std::string& line) {
  std::istringstream text(line);
  std::vector<long> numbers;
  for (long number = 0; text >> number;) numbers.push_back(number);
  return numbers;
}

enum class Section { Head, Precedence, Requests, Capacities };

/// Reads the sections by their titles and ignores rulers, headings and what it does not know. False: not such a file.
bool readProject(const std::string& path, Project& project) {
  std::ifstream file(path);
  std::map<long, std::vector<std::uint32_t>> successors;
  std::size_t renewable = 0;
  Section section = Section::Head;
  project.demandStart.push_back(0);
  for (std::string line; std::getline(file, line);) {
    if (line.find("PRECEDENCE RELATIONS") != std::string::npos) section = Section::Precedence;
    if (line.find("REQUESTS/DURATIONS") != std::string::npos) section = Section::Requests;
    if (line.find("RESOURCEAVAILABILITIES") != std::string::npos) section = Section::Capacities;
    if (section == Section::Head && line.find("- renewable") != std::string::npos) {
      renewable = static_cast<std::size_t>(std::atoi(line.c_str() + line.find(':') + 1));
    }
    const std::vector<long> row = numbersIn(line);
    if (row.empty()) continue;
    if (section == Section::Precedence && row.size() >= 3) {  // job, modes, successors, …
      for (std::size_t i = 3; i < row.size(); ++i) {
        successors[row[0]].push_back(static_cast<std::uint32_t>(row[i] - 1));
      }
    } else if (section == Section::Requests && row.size() >= 3 + renewable) {  // job, mode, duration, demands
      project.durationMs.push_back(row[2] * kUnitMs);
      for (std::size_t r = 0; r < renewable; ++r) {
        if (row[3 + r] <= 0) continue;
        project.demandResource.push_back(static_cast<std::uint32_t>(r));
        project.demandAmount.push_back(static_cast<std::uint32_t>(row[3 + r]));
      }
      project.demandStart.push_back(static_cast<std::uint32_t>(project.demandResource.size()));
    } else if (section == Section::Capacities && project.capacity.empty() && row.size() >= renewable) {
      for (std::size_t r = 0; r < renewable; ++r) project.capacity.push_back(static_cast<std::uint32_t>(row[r]));
    }
  }
  project.tasks = static_cast<std::uint32_t>(project.durationMs.size());
  project.successorStart.push_back(0);
  for (long job = 1; job <= static_cast<long>(project.tasks); ++job) {
    for (std::uint32_t next : successors[job]) {
      if (next >= project.tasks) return false;
      project.successor.push_back(next);
    }
    project.successorStart.push_back(static_cast<std::uint32_t>(project.successor.size()));
  }
  return project.tasks > 0 && renewable > 0 && project.capacity.size() == renewable;
}

std::map<std::string, std::int64_t> readOptima(const std::string& path) {
  std::map<std::string, std::int64_t> optima;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos) continue;
    // A range, 82..87, is no optimum.
    const std::int64_t value = line.find("..", comma) == std::string::npos ? std::atoll(line.c_str() + comma + 1) : 0;
    if (value > 0) optima[std::filesystem::path(line.substr(0, comma)).stem().string()] = value;
  }
  return optima;
}

std::vector<Instance> readFolder(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".sm") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  const std::map<std::string, std::int64_t> optima = readOptima(folder + "/optimum/optimum.csv");
  std::vector<Instance> instances;
  for (const auto& path : paths) {
    Instance instance;
    if (!readProject(path.string(), instance.project)) {
      std::fprintf(stderr, "psplib: not read: %s\n", path.filename().string().c_str());
      continue;
    }
    const auto found = optima.find(path.stem().string());
    if (found != optima.end()) instance.optimum = found->second * kUnitMs;
    instances.push_back(std::move(instance));
  }
  return instances;
}

/// Carried out with the rollout. Makespan; adds the processor time to `ms`.
std::int64_t withRollout(const Project& project, const ListOrder& order, const std::vector<std::int64_t>& real,
                         const Rollout::Options& options, double& ms) {
  const std::clock_t begin = std::clock();
  const std::int64_t makespan = testing::carryOut(project, order, real, options).makespan;
  ms += millisecondsSince(begin);
  return makespan;
}

struct Lists {
  ListOrder file, longest;
};

void measureGaps(const Instance& instance, const Lists& lists, const Options& options, Sums& sums) {
  if (instance.optimum <= 0) return;
  const Project& project = instance.project;
  const auto over = [&](std::int64_t makespan) {
    return static_cast<double>(makespan) / static_cast<double>(instance.optimum) - 1;
  };
  double ms = 0;
  ++sums.withOptimum;
  sums.fileGap += over(testing::dispatch(project, lists.file, project.durationMs));
  sums.longestGap += over(testing::dispatch(project, lists.longest, project.durationMs));
  sums.rolloutGap += over(withRollout(project, lists.longest, project.durationMs, options.rollout, ms));
}

void measure(const Instance& instance, const Options& options, std::uint64_t number, Sums& sums) {
  const Project& project = instance.project;
  std::vector<std::uint32_t> tasks(project.tasks);
  for (std::uint32_t t = 0; t < project.tasks; ++t) tasks[t] = t;
  const Lists lists{ListOrder::fromTasks(tasks), testing::longestPathFirst(project)};
  measureGaps(instance, lists, options, sums);
  ++sums.instances;
  double mean = 0, ms = 0;
  std::vector<std::int64_t> real(project.tasks);
  for (int set = 0; set < 2; ++set) {
    Rng rng(kDrawSeeds[set] + number * 0x10001);
    for (int draw = 0; draw < options.draws; ++draw) {
      for (std::uint32_t t = 0; t < project.tasks; ++t) {
        const double factor = std::exp(std::log(kSpread) * (2 * rng.unit() - 1));
        real[t] = std::llround(static_cast<double>(project.durationMs[t]) * factor);
      }
      const auto base = static_cast<double>(testing::dispatch(project, lists.longest, real));
      if (base <= 0) continue;
      const double ratio = static_cast<double>(withRollout(project, lists.longest, real, options.rollout, ms)) / base;
      sums.fileRatio[set] += static_cast<double>(testing::dispatch(project, lists.file, real)) / base / options.draws;
      sums.rolloutRatio[set] += ratio / options.draws;
      ++sums.draws;
      sums.drawsWorse += ratio > 1.0005;
      sums.drawsMuchWorse += ratio > 1.05;
      mean += ratio / options.draws / 2;
    }
  }
  ms /= 2 * options.draws;
  sums.ms += ms;
  sums.mostMs = std::max(sums.mostMs, ms);
  sums.better += mean < 0.9995;
  sums.worse += mean > 1.0005;
}

void printTable(const Sums& sums, const Options& options) {
  const double n = sums.instances, known = std::max(sums.withOptimum, 1), draws = std::max(sums.draws, 1);
  std::printf("%d instances, %d with a proven optimum; real durations 0.5-2 x the estimates, 2 x %d draws\n\n",
              sums.instances, sums.withOptimum, options.draws);
  std::printf("%-22s %16s %24s %14s\n", "", "over the optimum", "estimates off, x longest", "CPU ms a plan");
  std::printf("%-22s %14.2f %% %12.4f / %.4f\n", "file order", 100 * sums.fileGap / known, sums.fileRatio[0] / n,
              sums.fileRatio[1] / n);
  std::printf("%-22s %14.2f %% %12.4f / %.4f\n", "longest path first", 100 * sums.longestGap / known, 1.0, 1.0);
  std::printf("%-22s %14.2f %% %12.4f / %.4f %14.1f (most %.1f)\n", "rollout, may hold back",
              100 * sums.rolloutGap / known, sums.rolloutRatio[0] / n, sums.rolloutRatio[1] / n, sums.ms / n,
              sums.mostMs);
  std::printf("\nestimates off: in the mean better on %d, worse on %d, within 0.05 %% on the rest\n", sums.better,
              sums.worse);
  std::printf("worse than longest path first in %.1f %% of the draws, by more than 5 %% in %.1f %%\n",
              100 * sums.drawsWorse / draws, 100 * sums.drawsMuchWorse / draws);
}

void printJson(const Sums& sums, const Options& options) {
  const double n = sums.instances, known = std::max(sums.withOptimum, 1);
  std::printf("{\"instances\":%d,\"withOptimum\":%d,\"draws\":%d,\"budget\":%llu,", sums.instances, sums.withOptimum,
              options.draws, static_cast<unsigned long long>(options.rollout.budget));
  std::printf("\"gap\":{\"file\":%.6f,\"longestPath\":%.6f,\"rollout\":%.6f},", sums.fileGap / known,
              sums.longestGap / known, sums.rolloutGap / known);
  std::printf("\"ratio\":{\"file\":[%.6f,%.6f],\"rollout\":[%.6f,%.6f]},", sums.fileRatio[0] / n, sums.fileRatio[1] / n,
              sums.rolloutRatio[0] / n, sums.rolloutRatio[1] / n);
  std::printf("\"better\":%d,\"worse\":%d,\"ms\":{\"mean\":%.3f,\"most\":%.3f}}\n", sums.better, sums.worse,
              sums.ms / n, sums.mostMs);
}

Options readOptions(int count, char** words) {
  Options options;
  const char* shared = std::getenv("AETHERFLOW_SHARED");
  options.folder = (shared != nullptr ? std::string(shared) : std::string(AETHERFLOW_ROOT) + "/../shared") +
                   "/data/scheduling/psplib-j30";
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::uint64_t next = i + 1 < count ? std::strtoull(words[i + 1], nullptr, 10) : 0;
    if (word == "--json")
      options.json = true;
    else if (word == "--seed")
      options.rollout.seed = next, ++i;
    else if (word == "--budget")
      options.rollout.budget = next, ++i;
    else if (word == "--draws")
      options.draws = std::max(static_cast<int>(next), 1), ++i;
    else
      options.folder = word;
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  const Options options = readOptions(count, words);
  const std::vector<Instance> instances = readFolder(options.folder);
  if (instances.empty()) {
    std::fprintf(stderr, "psplib: no .sm files there; skipped (name a folder, or set AETHERFLOW_SHARED)\n");
    return options.json ? (std::puts("{\"skipped\":true}"), 0) : 0;
  }
  Sums sums;
  for (std::size_t i = 0; i < instances.size(); ++i) measure(instances[i], options, i, sums);
  if (options.json)
    printJson(sums, options);
  else
    printTable(sums, options);
  return 0;
}
