// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.tensor.DType;
import io.telechat.eval.EvalResults;
import io.telechat.eval.EvalSettings;
import io.telechat.eval.Evaluation;
import io.telechat.eval.Tasks;
import io.telechat.eval.model.Answerer;
import io.telechat.eval.model.LocalModel;
import io.telechat.eval.model.OpenAiClient;
import io.telechat.eval.model.RemoteModel;
import io.telechat.eval.model.SavedAnswers;
import io.telechat.eval.model.ServedModel;
import io.telechat.eval.report.ReportPage;
import io.telechat.eval.report.ResultsTable;
import io.telechat.eval.sandbox.Limits;
import io.telechat.eval.sandbox.ProgramRunner;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import io.telechat.infer.ChatModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat eval}. */
@Command(
        name = "eval",
        description = {
            "Put benchmarks to a model, and score its answers as lm-evaluation-harness or OpenCompass would.",
            "A run with --out that was cut short goes on where it was when it is started again."
        },
        mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "checkpoint directory (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Mixin
    private EvalOptions options;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "directory for results.json, report.html, and what a run that is cut short needs to go on")
    private Optional<Path> out = Optional.empty();

    @Option(names = "--log-samples", description = "with --out, also write every document to samples_TASK.jsonl")
    private boolean logSamples;

    @Option(names = "--json", description = "print results.json instead of a table")
    private boolean json;

    @Option(
            names = "--responses",
            paramLabel = "FILE",
            description = "score saved answers: JSON lines of task, subtask, doc_id, response")
    private Optional<Path> responses = Optional.empty();

    @Mixin
    private AnsweringServerOptions server;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "documents that are computed (or asked of a server) at once; results are the same (default:"
                    + " 32)")
    private int batchSize = 32;

    @Option(
            names = "--allow-code-execution",
            description =
                    "run the programs that answers to humaneval are, in a sandbox; without it they are not scored")
    private boolean allowCodeExecution;

    @Option(names = "--python", paramLabel = "COMMAND", description = "what runs them (default: python3)")
    private String python = "python3";

    @Option(
            names = "--unsafe-code-execution",
            description = "run them even where there can be no sandbox: with all rights that you have")
    private boolean unsafe;

    @Option(names = "--prompts", description = "print what would be asked, one JSON object a line, and ask nothing")
    private boolean prompts;

    @Option(
            names = "--extract",
            paramLabel = "TASK",
            description = "read answers from stdin, JSON lines with response, and print what the task makes of them")
    private Optional<String> extract = Optional.empty();

    @Option(
            names = "--equivalence",
            paramLabel = "math",
            description = "read JSON lines with a and b, and print whether they are the same answer; --style: minerva,"
                    + " hendrycks, opencompass, opencompass-agieval")
    private Optional<String> equivalence = Optional.empty();

    @Mixin
    private AdaptedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (extract.isPresent()) {
            return EvalLines.extract(Tasks.find(extract.get(), options.style()));
        }
        if (equivalence.isPresent()) {
            return EvalLines.equivalence(equivalence.get(), options.styleName());
        }
        Positive.check("--batch-size", batchSize);
        List<Task> tasks = Tasks.find(options.tasks(), options.style());
        boolean asksServer = server.isGiven();
        if (responses.isPresent() && asksServer) {
            throw new InvalidRequestException("who answers? Give one of DIR, --base-url and --responses");
        }
        EvalSettings settings = options.settings(allowCodeExecution, asksServer);
        Evaluation evaluation = new Evaluation(settings, programs());
        if (prompts) {
            return EvalLines.prompts(evaluation, tasks);
        }
        if (responses.isPresent()) {
            Optional<Path> usual = ModelOptions.fromEnvironment(); // counts tokens; scores do not depend on it
            return run(evaluation, tasks, new SavedAnswers(responses.get(), tokenizer(usual)));
        }
        if (asksServer) {
            return run(evaluation, tasks, remote(settings));
        }
        tasks.forEach(
                task -> evaluation.load(task, new ArrayList<>())); // what is wrong is told before a model is loaded
        return modelOptions.run(
                spec,
                () -> ModelOptions.directory(directory),
                DType.F32,
                RankWork.NO_INPUT,
                global,
                () -> run(evaluation, tasks, local(settings)));
    }

    private Optional<TaskSource.ProgramCheck> programs() {
        if (!allowCodeExecution) {
            return Optional.empty();
        }
        ProgramRunner runner =
                unsafe ? ProgramRunner.unsafe(python, Limits.DEFAULT) : ProgramRunner.sandboxed(python, Limits.DEFAULT);
        return Optional.of(program -> runner.run(program).passed());
    }

    /** @param usual where it is if nothing names a directory */
    private Optional<ChatTokenizer> tokenizer(Optional<Path> usual) {
        return modelOptions
                .tokenizer()
                .or(() -> directory.or(() -> usual).map(ModelOptions::found))
                .map(ChatTokenizer::load);
    }

    private Answerer local(EvalSettings settings) {
        Path path = ModelOptions.directory(directory);
        ChatModel loaded = modelOptions.load(path, DType.F32, global, more -> LocalModel.inBatches(more, batchSize));
        return new LocalModel(loaded, path.toString(), modelOptions.identity(path), settings.form(), batchSize);
    }

    private Answerer remote(EvalSettings settings) {
        OpenAiClient client = server.client();
        return new RemoteModel(
                client,
                ServedModel.find(client, server.model()),
                tokenizer(Optional.empty()).map(ChatTokenizer::tokenizer), // TELECHAT_MODEL need not be what answers
                settings.form(),
                batchSize);
    }

    private int run(Evaluation evaluation, List<Task> tasks, Answerer answerer) {
        try (answerer) {
            EvalResults results =
                    evaluation.run(tasks, answerer, out, logSamples, new TaskProgress(Optional.empty(), global.quiet));
            out.ifPresent(run -> ReportPage.of(run).write(run.resolve(ReportCommand.FILE)));
            sayWhatIsMissing(results.missing());
            if (json) {
                System.out.println(Json.line(results.json()));
            } else {
                System.out.print(ResultsTable.of(results));
            }
            return ExitCode.OK;
        }
    }

    /** A line for each benchmark, which names the subtasks by their files. */
    static void sayWhatIsMissing(List<Path> files) {
        Map<Path, Set<String>> byFolder = new TreeMap<>();
        for (Path file : files) {
            String subtask = file.getFileName().toString().replaceFirst("(_test|_dev|_val)?\\.[^.]*$", "");
            byFolder.computeIfAbsent(file.getParent().getParent(), f -> new TreeSet<>())
                    .add(subtask);
        }
        byFolder.forEach((folder, subtasks) -> System.err.println("telechat: "
                + Message.localized(
                        "%s: left out of the means, since their files are not there: %s",
                        folder, String.join(", ", subtasks))));
    }
}
