// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.Sha256;
import io.telechat.eval.model.Chat;
import io.telechat.eval.model.UnanswerableException;
import io.telechat.eval.run.LineLog;
import io.telechat.eval.run.OutputFiles;
import io.telechat.eval.run.RunProgress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * Has dialogs answered, then the answers judged: one model after the other, so that only one need be in memory. With an output
 * directory, what was cut short goes on where it was when the same is asked for again: {@code answers.jsonl}, {@code
 * judgements.jsonl} and {@code results.json} come of it.
 */
public final class Judging implements AutoCloseable {
    /** What {@link RunProgress} calls the first part. */
    public static final String ANSWERS = "answers";

    private static final String JUDGEMENTS = "judgements";

    private final List<Dialog> dialogs;
    private final Optional<Path> out;
    private final RunProgress progress;
    private final List<LineLog<?, ?>> logs = new ArrayList<>();

    /**
     * @param out made if it is not there
     * @throws InvalidInputException if it cannot be made
     */
    public Judging(List<Dialog> dialogs, Optional<Path> out, RunProgress progress) {
        this.dialogs = List.copyOf(dialogs);
        this.out = out;
        this.progress = progress;
        out.ifPresent(OutputFiles::makeDirectory);
    }

    /**
     * Has all dialogs answered by a model.
     *
     * @throws io.telechat.core.TelechatException the first failure that is not of one dialog alone
     */
    public Answers answers(Respondent model) {
        ObjectNode settings = settings(model).put("dialogs", digest(dialogs, Dialog::json));
        Log<Answers.Reply> log = new Log<>(
                ANSWERS,
                settings,
                Answers.Reply::of,
                (dialog, reply) -> reply.failure().isEmpty());
        Map<String, Answers.Reply> replies = throughLog(log, model, (chat, dialog) -> answered(chat, model, dialog));
        if (replies.values().stream().allMatch(reply -> reply.failure().isPresent())) {
            throw new InvalidInputException(
                    "none of %,d dialogs has an answer; the first: %s",
                    dialogs.size(),
                    replies.get(dialogs.getFirst().id()).failure().orElse(""));
        }
        return new Answers(model.name(), replies);
    }

    private static ObjectNode answered(Chat chat, Respondent model, Dialog dialog) {
        List<String> given = new ArrayList<>();
        try {
            while (given.size() < dialog.answers()) {
                given.add(chat.answer(dialog.asked(given), model.how()));
            }
            return new Answers.Reply(given, Optional.empty()).json(dialog.id());
        } catch (UnanswerableException e) {
            return Answers.Reply.failed(e.getMessage()).json(dialog.id());
        }
    }

    /**
     * Has answers judged, or compared with those of another model.
     *
     * @param retries after a reply of the judge that cannot be read
     * @throws io.telechat.core.TelechatException if there are no criteria for a dialog, no dialog gets a verdict, or the first failure
     *     that is not of one dialog alone
     */
    public JudgeResults judge(
            Answers answers, Optional<Answers> other, Respondent judge, Criteria criteria, int retries) {
        dialogs.forEach(criteria::of); // what is missing is told at once
        ObjectNode settings = settings(judge).put("retries", retries).put("model", answers.name());
        settings.put("dialogs", digest(dialogs, dialog -> dialog.json().put("used criteria", criteria.of(dialog))));
        other.ifPresent(o -> settings.put("versus", o.name()));
        Log<Judgement> log = new Log<>(
                JUDGEMENTS,
                settings,
                Judgement::of,
                (dialog, before) -> before.judged().failure().isEmpty()
                        && before.isOf(answers.to(dialog), other.map(o -> o.to(dialog))));
        Map<String, Judged> judged = new HashMap<>();
        throughLog(
                        log,
                        judge,
                        (chat, dialog) -> judged(
                                new Judge(chat, judge.how(), retries), dialog, criteria.of(dialog), answers, other))
                .forEach((id, judgement) -> judged.put(id, judgement.judged()));
        JudgeResults results = results(judged, answers, other, judge, criteria);
        if (results.all().count() == 0) {
            throw new InvalidInputException(
                    "none of %,d dialogs has a verdict; the first: %s",
                    dialogs.size(), results.firstFailure().orElse(""));
        }
        out.ifPresent(directory -> OutputFiles.write(directory.resolve("results.json"), results.json()));
        return results;
    }

    private static ObjectNode judged(
            Judge judge, Dialog dialog, String criteria, Answers answers, Optional<Answers> other) {
        Answers.Reply mine = answers.to(dialog);
        Optional<Answers.Reply> theirs = other.map(o -> o.to(dialog));
        ObjectNode line = dialog.json();
        line.set("answers", Judgement.texts(mine));
        theirs.ifPresent(reply -> line.set("other_answers", Judgement.texts(reply)));
        Optional<String> missing = mine.failure().or(() -> theirs.flatMap(Answers.Reply::failure));
        if (missing.isPresent()) {
            Judged.unanswered(missing.get()).put(line);
        } else if (theirs.isEmpty()) {
            Verdict<Double> verdict = judge.score(dialog, criteria, mine.texts());
            put(line.putObject("verdict"), verdict);
            Judged.of(verdict).put(line);
        } else {
            List<String> others = theirs.get().texts();
            Verdict<Choice> first = judge.compare(dialog, criteria, mine.texts(), others);
            Verdict<Choice> swapped = judge.compare(dialog, criteria, others, mine.texts());
            put(line.putObject("verdict"), first);
            put(line.putObject("swapped_verdict"), swapped);
            Judged.of(first, swapped, mine.texts(), others).put(line);
        }
        return line;
    }

    private static void put(ObjectNode json, Verdict<?> verdict) {
        verdict.reading()
                .ifPresent(
                        reading -> json.put("value", reading.value().toString()).put("reason", reading.reason()));
        ArrayNode replies = json.putArray("replies");
        verdict.replies().forEach(replies::add);
    }

    private JudgeResults results(
            Map<String, Judged> judged, Answers answers, Optional<Answers> other, Respondent judge, Criteria criteria) {
        Map<String, Tally> dimensions = tallies(judged, Dialog::dimension);
        Map<String, String> names = new LinkedHashMap<>();
        dimensions.keySet().forEach(d -> criteria.name(d).ifPresent(name -> names.put(d, name)));
        List<Judged> inOrder = dialogs.stream().map(d -> judged.get(d.id())).toList();
        return new JudgeResults(
                answers.name(),
                other.map(Answers::name),
                judge.name(),
                dimensions,
                names,
                tallies(judged, Dialog::language),
                Tally.of(inOrder),
                inOrder.stream().flatMap(one -> one.failure().stream()).findFirst());
    }

    private Map<String, Tally> tallies(Map<String, Judged> judged, Function<Dialog, String> by) {
        Map<String, List<Judged>> parts = new LinkedHashMap<>();
        dialogs.forEach(
                d -> parts.computeIfAbsent(by.apply(d), p -> new ArrayList<>()).add(judged.get(d.id())));
        Map<String, Tally> tallies = new LinkedHashMap<>();
        parts.forEach((part, of) -> tallies.put(part, Tally.of(of)));
        return tallies;
    }

    /** Makes a line of a dialog. */
    @FunctionalInterface
    private interface Work {
        ObjectNode line(Chat chat, Dialog dialog);
    }

    /** What a log holds of a dialog. */
    private record Judgement(Judged judged, JsonNode answers, JsonNode others) {
        static Judgement of(JsonNode line) {
            return new Judgement(Judged.of(line), line.path("answers"), line.path("other_answers"));
        }

        static ArrayNode texts(Answers.Reply reply) {
            ArrayNode texts = JsonNodeFactory.instance.arrayNode();
            reply.texts().forEach(texts::add);
            return texts;
        }

        /** Whether these answers were judged, and not others that stood in their place then. */
        boolean isOf(Answers.Reply mine, Optional<Answers.Reply> theirs) {
            return answers.equals(texts(mine))
                    && theirs.map(reply -> others.equals(texts(reply))).orElse(others.isMissingNode());
        }
    }

    /**
     * A log that a run goes on with.
     *
     * @param value what is kept of a line
     * @param holds whether what has come of a dialog earlier need not be asked for again
     */
    private record Log<V>(
            String name, ObjectNode settings, Function<JsonNode, V> value, BiPredicate<Dialog, V> holds) {}

    /** A line for each dialog, made now or before; then published in their order. */
    private <V> Map<String, V> throughLog(Log<V> log, Respondent respondent, Work work) {
        Optional<LineLog<String, V>> lines = out.map(directory -> LineLog.open(
                directory.resolve(log.name + ".partial.jsonl"),
                log.settings,
                line -> line.path("id").asText(),
                log.value));
        lines.ifPresent(logs::add);
        Map<String, V> values = new ConcurrentHashMap<>();
        for (Dialog dialog : dialogs) {
            lines.flatMap(l -> l.get(dialog.id()))
                    .filter(before -> log.holds.test(dialog, before))
                    .ifPresent(before -> values.put(dialog.id(), before));
        }
        List<Dialog> left =
                dialogs.stream().filter(d -> !values.containsKey(d.id())).toList();
        if (!left.isEmpty()) {
            try (Chat chat = respondent.opens().get()) {
                progress.scored(log.name, values.size(), dialogs.size());
                ManyAtOnce.run(left, chat.parallel(), dialog -> {
                    ObjectNode line = work.line(chat, dialog);
                    lines.ifPresent(l -> l.add(line));
                    values.put(dialog.id(), log.value.apply(line));
                    synchronized (progress) {
                        progress.scored(log.name, values.size(), dialogs.size());
                    }
                });
            }
        }
        lines.ifPresent(l -> l.publish(
                out.get().resolve(log.name + ".jsonl"),
                dialogs.stream().map(Dialog::id).toList()));
        return values;
    }

    /** Forgets what was kept in case that the run were cut short: it has come to its end. */
    public void done() {
        logs.forEach(LineLog::delete);
        logs.clear();
    }

    @Override
    public void close() {
        logs.forEach(LineLog::close);
    }

    private static ObjectNode settings(Respondent respondent) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("respondent", respondent.name())
                .put("max_new_tokens", respondent.how().maxNewTokens())
                .put("temperature", respondent.how().temperature())
                .put("seed", respondent.how().seed());
    }

    private static String digest(List<Dialog> dialogs, Function<Dialog, ObjectNode> of) {
        MessageDigest digest = Sha256.digest();
        for (Dialog dialog : dialogs) {
            digest.update((of.apply(dialog) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
