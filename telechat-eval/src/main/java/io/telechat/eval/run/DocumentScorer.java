// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.model.Answer;
import io.telechat.eval.model.Asked;
import io.telechat.eval.model.Likelihoods;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Score;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Scores what a model has said of a document. */
final class DocumentScorer {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private DocumentScorer() {}

    static Scored of(Asked asked, Query.Choice choice, Likelihoods likelihoods) {
        double[] sums = likelihoods.sums();
        double[] byCharacter = new double[sums.length];
        for (int i = 0; i < sums.length; i++) {
            String answer = choice.answers().get(i);
            byCharacter[i] = sums[i] / answer.codePointCount(0, answer.length());
        }
        int best = argmax(sums);
        int bestByCharacter = argmax(byCharacter);
        List<Score> scores = new ArrayList<>();
        scores.add(Score.of("acc", Score.NONE, choice.right().contains(best)));
        if (choice.normalized()) {
            scores.add(Score.of("acc_norm", Score.NONE, choice.right().contains(bestByCharacter)));
        }
        ObjectNode sample = begun(asked);
        likelihoods.texts().forEach(sample.putArray("continuations")::add);
        sample.put("context_tokens", likelihoods.contextTokens());
        ArrayNode ids = sample.putArray("continuation_ids");
        for (int[] answer : likelihoods.ids()) {
            ArrayNode one = ids.addArray();
            for (int id : answer) {
                one.add(id);
            }
        }
        sample.set("truncated_tokens", MAPPER.valueToTree(likelihoods.truncated()));
        sample.set("loglikelihoods", MAPPER.valueToTree(sums));
        sample.set("is_greedy", MAPPER.valueToTree(likelihoods.greedy()));
        sample.put("choice", best);
        sample.put("choice_norm", bestByCharacter);
        if (choice.several()) {
            choice.right().stream().sorted().forEach(sample.putArray("gold")::add);
        } else {
            sample.put("gold", choice.right().iterator().next());
        }
        return scored(sample, scores);
    }

    /** @param endOfText of the model's vocabulary */
    static Scored of(Asked asked, Query.FreeAnswer query, Answer answer, String endOfText) {
        String response = StopStrings.cut(answer.text(), query.until(), endOfText);
        Map<String, String> extracted = query.rule().extract(response);
        ObjectNode sample = begun(asked);
        answer.contextTokens().ifPresent(tokens -> sample.put("context_tokens", tokens));
        sample.put("truncated_tokens", answer.truncated());
        ArrayNode until = sample.putArray("until");
        query.until().forEach(until::add);
        if (!query.until().contains(endOfText)) {
            until.add(endOfText);
        }
        answer.newTokens().ifPresent(tokens -> sample.put("new_tokens", tokens));
        sample.put("response", response);
        ObjectNode found = sample.putObject("extracted");
        extracted.forEach(found::put);
        sample.put("gold", query.gold());
        return scored(sample, query.rule().score(extracted));
    }

    private static ObjectNode begun(Asked asked) {
        ObjectNode sample = MAPPER.createObjectNode();
        sample.put("task", asked.task());
        sample.put("subtask", asked.subtask().orElse(null));
        sample.put("doc_id", asked.item().id());
        switch (asked.item().prompt()) {
            case Prompt.FewShot shots -> sample.put("context", shots.text());
            case Prompt.Dialog dialog -> {
                ArrayNode messages = sample.putArray("messages");
                dialog.turns()
                        .forEach(turn -> messages.addObject()
                                .put("role", turn.speaker().name())
                                .put("prompt", turn.text()));
            }
        }
        return sample;
    }

    private static Scored scored(ObjectNode sample, List<Score> scores) {
        ObjectNode metrics = sample.putObject("metrics");
        for (Score score : scores) {
            if (score.value().isPresent()) {
                metrics.put(score.key(), score.value().getAsDouble());
            } else {
                metrics.putNull(score.key());
            }
        }
        return new Scored(sample, scores);
    }

    /** The first of the largest. */
    private static int argmax(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
