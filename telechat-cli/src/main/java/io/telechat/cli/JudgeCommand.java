// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.tensor.DType;
import io.telechat.eval.judge.Answers;
import io.telechat.eval.judge.Criteria;
import io.telechat.eval.judge.Dialog;
import io.telechat.eval.judge.JudgeResults;
import io.telechat.eval.judge.Judging;
import io.telechat.eval.judge.Respondent;
import io.telechat.eval.model.Chat;
import io.telechat.eval.model.ChatSettings;
import io.telechat.eval.model.LocalChat;
import io.telechat.eval.model.OpenAiClient;
import io.telechat.eval.model.RemoteChat;
import io.telechat.eval.model.ServedModel;
import io.telechat.eval.run.RunProgress;
import io.telechat.infer.CacheSize;
import io.telechat.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat judge}. */
@Command(
        name = "judge",
        description =
                "Have another model judge a model's answers to dialogs, from 0 to 100 or against those of a third.",
        mixinStandardHelpOptions = true)
final class JudgeCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            description = "checkpoint directory of the model that answers (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Mixin
    private AnsweringServerOptions server;

    @Option(
            names = "--answers",
            paramLabel = "FILE",
            description = "judge saved answers instead: JSON lines of id and answer (or answers), or the --out of an"
                    + " earlier run")
    private Optional<Path> answers = Optional.empty();

    @Option(
            names = "--versus",
            paramLabel = "FILE",
            description = "compare with these answers, in both orders, instead of scoring; a file or directory as of"
                    + " --answers")
    private Optional<Path> versus = Optional.empty();

    @Mixin
    private JudgeOptions options;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description =
                    "directory for answers.jsonl, judgements.jsonl, results.json, and what a run that is cut short"
                            + " needs to go on")
    private Optional<Path> out = Optional.empty();

    @Option(names = "--json", description = "print results.json instead of a table")
    private boolean json;

    @Mixin
    private AdaptedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    private boolean answererLoaded;

    @Override
    public Integer call() throws IOException {
        if (options.printDialogs || options.printCriteria) {
            return print();
        }
        check();
        if (server.isGiven() || answers.isPresent()) {
            return run(options.dialogs());
        }
        return modelOptions.run(
                spec, () -> ModelOptions.directory(directory), DType.BF16, RankWork.NO_INPUT, global, this::runLocal);
    }

    private int print() {
        if (options.printDialogs) {
            options.dialogs().forEach(dialog -> System.out.println(dialog.json()));
        }
        if (options.printCriteria) {
            options.criteria().all().forEach(one -> System.out.println(one.json()));
        }
        return ExitCode.OK;
    }

    private void check() {
        if ((directory.isPresent() ? 1 : 0) + (server.isGiven() ? 1 : 0) + (answers.isPresent() ? 1 : 0) > 1) {
            throw new InvalidRequestException("who answers? Give one of DIR, --base-url and --answers");
        }
        long judges = (options.judge.isPresent() ? 1 : 0)
                + (options.judgeUrl.isPresent() ? 1 : 0)
                + (options.noJudge ? 1 : 0);
        if (judges != 1) {
            throw new InvalidRequestException("who judges? Give one of --judge DIR, --judge-url URL and --no-judge");
        }
        if (options.noJudge && (out.isEmpty() || versus.isPresent() || answers.isPresent())) {
            throw new InvalidRequestException(
                    "--no-judge has dialogs answered and writes the answers to --out DIR, which it needs; it goes with"
                            + " neither --answers nor --versus");
        }
        if (options.judge.isPresent() && modelOptions.isInParts()) {
            throw new InvalidRequestException(
                    "--judge is a model in one process; with --ranks or --hostfile, serve it and give its --judge-url");
        }
        options.retries();
        options.batchSize();
        options.ofAnswers();
        options.ofVerdicts();
    }

    private int runLocal() {
        Path path = ModelOptions.directory(directory);
        int code = run(options.dialogs());
        if (modelOptions.rank().isPresent() && !answererLoaded) {
            open(path).close(); // the other ranks wait for a model to come and go
        }
        return code;
    }

    private int run(List<Dialog> dialogs) {
        Criteria criteria = options.criteria();
        Optional<Answers> others = versus.map(place -> Answers.read(place, dialogs));
        try (Judging judging = new Judging(dialogs, out, progress())) {
            Answers given = answers.isPresent() ? Answers.read(answers.get(), dialogs) : judging.answers(answerer());
            if (!options.noJudge) {
                say(judging.judge(given, others, judge(), criteria, options.retries()));
            }
            judging.done();
            return ExitCode.OK;
        }
    }

    private void say(JudgeResults results) {
        if (json) {
            System.out.println(Json.line(results.json()));
        } else {
            System.out.print(results.table());
        }
        if (results.all().failures() > 0) {
            System.err.println("telechat: "
                    + Message.localized(
                            "%,d dialogs have no verdict and are left out of the means; the first: %s",
                            results.all().failures(), results.firstFailure().orElse("")));
        }
    }

    private Respondent answerer() {
        if (server.isGiven()) {
            return remote(server.client(), server.model(), options.ofAnswers());
        }
        Path path = ModelOptions.directory(directory);
        return new Respondent(path.toString(), () -> open(path), options.ofAnswers());
    }

    private Chat open(Path path) {
        answererLoaded = true;
        return new LocalChat(modelOptions.load(path, global, this::many), path.toString());
    }

    private Respondent judge() {
        if (options.judgeUrl.isPresent()) {
            OpenAiClient client = new OpenAiClient(options.judgeUrl.get(), options.judgeKey());
            return remote(client, options.judgeModel, options.ofVerdicts());
        }
        Path path = ModelOptions.found(options.judge.get());
        return new Respondent(
                path.toString(),
                () -> new LocalChat(modelOptions.loadAnother(path, global, this::many), path.toString()),
                options.ofVerdicts());
    }

    private Respondent remote(OpenAiClient client, Optional<String> name, ChatSettings how) {
        String known =
                name.orElseGet(() -> ServedModel.find(client, Optional.empty()).name());
        return new Respondent(known, () -> new RemoteChat(client, known, options.batchSize()), how);
    }

    /** Room for so many conversations at once. */
    private LoadOptions.Builder many(LoadOptions.Builder load) {
        return load.cacheSize(new CacheSize.HalfOfMachine()).maxBatch(options.batchSize());
    }

    /** A bar for the answers, and one for the verdicts. */
    private RunProgress progress() {
        return new RunProgress() {
            private String phase = "";
            private ProgressBar bar;

            @Override
            public synchronized void scored(String name, int done, int total) {
                if (!name.equals(phase)) {
                    phase = name;
                    Message what = name.equals(Judging.ANSWERS) ? Message.of("answering") : Message.of("judging");
                    bar = ProgressBar.counting(what, done, global.quiet);
                }
                bar.loaded(done, total);
            }
        };
    }
}
