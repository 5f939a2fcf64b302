// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.model.Answerer;
import io.telechat.eval.model.Asked;
import io.telechat.eval.run.OutputFiles;
import io.telechat.eval.run.RunProgress;
import io.telechat.eval.run.SampleLog;
import io.telechat.eval.run.TaskRun;
import io.telechat.eval.score.TaskScores;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Puts benchmarks to a model. With an output directory a run that was cut short goes on where it was, and the same call with the
 * same model gives the same files, byte for byte.
 */
public final class Evaluation {
    private final EvalSettings settings;
    private final Optional<TaskSource.ProgramCheck> programs;

    /** @param programs runs generated programs; empty if that is not allowed, so that they are not scored */
    public Evaluation(EvalSettings settings, Optional<TaskSource.ProgramCheck> programs) {
        this.settings = settings;
        this.programs = programs;
    }

    /**
     * The documents of a task.
     *
     * @param missing files of subtasks that are not there are added to it
     * @throws InvalidInputException if no file of the task is there, or one is not as its makers publish it
     */
    public List<Subtask> load(Task task, List<Path> missing) {
        List<Path> looked = new ArrayList<>();
        int shots = settings.shots().orElse(task.usualShots());
        List<Subtask> subtasks =
                task.load(new TaskSource(settings.data(), shots, settings.limit(), programs, looked)).stream()
                        .filter(subtask -> !subtask.items().isEmpty())
                        .toList();
        if (subtasks.isEmpty()) {
            throw new InvalidInputException(
                    "%s: has nothing of %s%s",
                    settings.data(),
                    task.name(),
                    looked.isEmpty() ? "" : " (" + settings.data().relativize(looked.getFirst()) + ")");
        }
        missing.addAll(looked);
        return subtasks;
    }

    /**
     * Runs some tasks.
     *
     * @param out directory for {@code results.json} and what a run that is cut short needs to go on; made if it is not there
     * @param logSamples whether to write {@code samples_TASK.jsonl} there, too
     */
    public EvalResults run(
            List<Task> tasks, Answerer answerer, Optional<Path> out, boolean logSamples, RunProgress progress) {
        out.ifPresent(OutputFiles::makeDirectory);
        List<Path> missing = new ArrayList<>();
        List<TaskRun> runs = new ArrayList<>();
        try {
            // All of them before the first question: what is wrong with the last is told at once.
            for (Task task : tasks) {
                List<Subtask> subtasks = answered(load(task, missing), task, answerer);
                ObjectNode all = fingerprint(answerer).put("documents", TaskIdentity.of(task, subtasks));
                runs.add(new TaskRun(task, subtasks, out.map(o -> SampleLog.open(o, task.name(), all))));
            }
            List<TaskScores> scores =
                    runs.stream().map(run -> run.run(answerer, progress)).toList();
            EvalResults results = new EvalResults(answerer.name(), settings.json(), scores, missing);
            out.ifPresent(o -> publish(o, results, runs, logSamples));
            return results;
        } finally {
            runs.forEach(TaskRun::close);
        }
    }

    private static void publish(Path out, EvalResults results, List<TaskRun> runs, boolean logSamples) {
        if (logSamples) {
            runs.forEach(run -> run.publish(out.resolve("samples_" + run.task().name() + ".jsonl")));
        }
        OutputFiles.write(EvalResults.file(out), results.json());
        runs.forEach(TaskRun::forget);
    }

    private ObjectNode fingerprint(Answerer answerer) {
        return settings.json().put("model", answerer.name()).put("identity", answerer.identity());
    }

    /** Of saved answers there may be less than documents, if the run had a limit. */
    private static List<Subtask> answered(List<Subtask> subtasks, Task task, Answerer answerer) {
        List<Subtask> kept = new ArrayList<>();
        for (Subtask subtask : subtasks) {
            List<Item> items = subtask.items().stream()
                    .filter(item -> answerer.has(new Asked(task.name(), subtask.name(), item)))
                    .toList();
            if (!items.isEmpty()) {
                kept.add(new Subtask(subtask.name(), items));
            }
        }
        if (kept.isEmpty()) {
            throw new InvalidInputException("%s: has no answer to %s", answerer.name(), task.name());
        }
        return kept;
    }
}
