// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.eval.data.Digest;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** Answers that a model gave before: a file of JSON lines {@code {task, subtask, doc_id, response}}. */
public final class SavedAnswers implements Answerer {
    private final Path file;
    private final Optional<ChatTokenizer> tokenizer;
    private final Map<Key, String> answers = new HashMap<>();
    private final String identity;

    private record Key(String task, Optional<String> subtask, int id) {}

    /**
     * @param tokenizer counts the tokens of prompts
     * @throws InvalidInputException if the file is not like that
     */
    public SavedAnswers(Path file, Optional<ChatTokenizer> tokenizer) {
        this.file = file;
        this.tokenizer = tokenizer;
        List<JsonNode> rows = JsonLines.read(file);
        Digest digest = new Digest();
        rows.forEach(row -> digest.add(row.toString()));
        this.identity = digest.text();
        for (int i = 0; i < rows.size(); i++) {
            JsonNode row = rows.get(i);
            if (!row.path("task").isTextual()
                    || !row.path("doc_id").isInt()
                    || !row.path("response").isTextual()) {
                throw new InvalidInputException(
                        "%s: answer %d must have \"task\", \"doc_id\" and \"response\" (and \"subtask\" if there is"
                                + " one)",
                        file, i + 1);
            }
            Key key = new Key(
                    row.get("task").asText(),
                    Optional.ofNullable(row.path("subtask").textValue()),
                    row.get("doc_id").asInt());
            if (answers.put(key, row.get("response").asText()) != null) {
                throw new InvalidInputException(
                        "%s: answer %d is the second to the same question (%s %d)", file, i + 1, key.task, key.id);
            }
        }
    }

    @Override
    public String name() {
        return file.toString();
    }

    @Override
    public String identity() {
        return identity;
    }

    @Override
    public String endOfText() {
        return "</s>";
    }

    @Override
    public int parallel() {
        return Integer.MAX_VALUE;
    }

    @Override
    public boolean has(Asked asked) {
        return answers.containsKey(key(asked));
    }

    @Override
    public CompletableFuture<Likelihoods> likelihoods(Asked asked, Query.Choice choice) {
        throw new InvalidRequestException(
                "%s compares the likelihoods of answers, which a file of answers doesn't have; --style opencompass asks"
                        + " for a text instead",
                asked.task());
    }

    @Override
    public CompletableFuture<Answer> answer(Asked asked, Query.FreeAnswer query) {
        String text = Optional.ofNullable(answers.get(key(asked)))
                .orElseThrow(() -> new InvalidInputException(
                        "%s: has no answer to %s %d",
                        file, asked.subtask().orElse(asked.task()), asked.item().id()));
        OptionalInt tokens = asked.item().prompt() instanceof Prompt.FewShot shots && tokenizer.isPresent()
                ? OptionalInt.of(tokenizer.get().tokenizer().encode(shots.text()).length)
                : OptionalInt.empty();
        return CompletableFuture.completedFuture(new Answer(tokens, 0, OptionalInt.empty(), text));
    }

    private static Key key(Asked asked) {
        return new Key(asked.task(), asked.subtask(), asked.item().id());
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
