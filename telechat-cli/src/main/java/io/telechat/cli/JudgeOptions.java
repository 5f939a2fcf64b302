// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.eval.judge.Criteria;
import io.telechat.eval.judge.Dialog;
import io.telechat.eval.judge.Dialogs;
import io.telechat.eval.model.ChatSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;

/** Which dialogs are judged, by whom and by what. */
final class JudgeOptions {
    @Option(
            names = "--judge",
            paramLabel = "DIR",
            description = "the judge: a model in this process, whose replies are held to the form asked for")
    Optional<Path> judge = Optional.empty();

    @Option(
            names = "--judge-url",
            paramLabel = "URL",
            description = "the judge: a server that speaks OpenAI's API, such as https://api.openai.com/v1")
    Optional<String> judgeUrl = Optional.empty();

    @Option(
            names = "--judge-model",
            paramLabel = "NAME",
            description = "with --judge-url: which of the server's models")
    Optional<String> judgeModel = Optional.empty();

    @Option(
            names = "--judge-key-file",
            paramLabel = "FILE",
            description = "with --judge-url: file with the key to send (default: $OPENAI_API_KEY)")
    private Optional<Path> judgeKeyFile = Optional.empty();

    @Option(names = "--no-judge", description = "only have the dialogs answered: --out gets answers.jsonl")
    boolean noJudge;

    @Option(
            names = "--dialogs",
            paramLabel = "FILE",
            description =
                    "JSON lines of id, dimension, messages, and perhaps reference, criteria, language (default: 60"
                            + " of our own, in ten dimensions)")
    private Optional<Path> dialogs = Optional.empty();

    @Option(
            names = "--criteria",
            paramLabel = "FILE",
            description = "JSON lines of dimension, criteria, and perhaps language, name (default: those of our own"
                    + " dialogs)")
    private Optional<Path> criteria = Optional.empty();

    @Option(names = "--dimensions", paramLabel = "NAME", split = ",", description = "only dialogs of these dimensions")
    private List<String> dimensions = new ArrayList<>();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "dialogs of each dimension and language at most, from the first")
    private Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--print-dialogs",
            description = "print the dialogs as JSON lines, to be changed and added to, and do nothing else")
    boolean printDialogs;

    @Option(names = "--print-criteria", description = "likewise, the criteria")
    boolean printCriteria;

    @Option(
            names = "--retries",
            paramLabel = "N",
            description = "ask the judge again so often where its reply cannot be read (default: 3)")
    private int retries = 3;

    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            description = "length of an answer to a dialog at most (default: 1024)")
    private int maxNewTokens = 1024;

    @Option(
            names = "--judge-max-new-tokens",
            paramLabel = "N",
            description = "length of a reply of the judge at most (default: 1024)")
    private int judgeMaxNewTokens = 1024;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "draw answers at random; the judge's are not (default: 0)")
    private double temperature;

    @Option(names = "--seed", paramLabel = "N", description = "of the random draw (default: 0)")
    private long seed;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "dialogs that are computed (or asked of a server) at once (default: 16)")
    private int batchSize = 16;

    List<Dialog> dialogs() {
        List<Dialog> all = dialogs.map(Dialogs::read).orElseGet(Dialogs::own);
        List<Dialog> wanted = dimensions.isEmpty() ? all : Dialogs.of(all, Set.copyOf(dimensions));
        limit.ifPresent(each -> Positive.check("--limit", each));
        return limit.isPresent() ? Dialogs.first(wanted, limit.get()) : wanted;
    }

    Criteria criteria() {
        return criteria.map(Criteria::read).orElseGet(Criteria::own);
    }

    int retries() {
        if (retries < 0) {
            throw new InvalidRequestException("--retries is %d, must be 0 or more", retries);
        }
        return retries;
    }

    int batchSize() {
        return Positive.check("--batch-size", batchSize);
    }

    ChatSettings ofAnswers() {
        return new ChatSettings(maxNewTokens, temperature, seed, Optional.empty());
    }

    ChatSettings ofVerdicts() {
        return new ChatSettings(judgeMaxNewTokens, 0, 0, Optional.empty());
    }

    Optional<String> judgeKey() {
        return judgeKeyFile
                .map(AnsweringServerOptions::key)
                .or(() -> Optional.ofNullable(System.getenv("OPENAI_API_KEY")));
    }
}
