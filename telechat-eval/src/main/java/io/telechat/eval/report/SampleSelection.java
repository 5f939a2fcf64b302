// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Samples of one task for a page: of each subtask and kind the first ones, so that the page stays small. */
final class SampleSelection {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int MOST = 3000;
    private static final int FEWEST = 5;
    private static final int SHORTEST_PREFIX = 100;

    private final String task;
    private final int mostOfKind;
    private final Map<String, Map<Integer, List<ObjectNode>>> byPart = new LinkedHashMap<>();
    private int kept;
    private int seen;

    /** @param mostOfKind of each subtask */
    SampleSelection(String task, int mostOfKind) {
        this.task = task;
        this.mostOfKind = mostOfKind;
    }

    /**
     * How many samples of each subtask and kind there is room for on one page.
     *
     * @param documents of all tasks on it
     * @param parts subtasks of all tasks
     */
    static int mostOfKind(int documents, int parts, int kinds) {
        return documents <= MOST ? MOST : Math.max(FEWEST, MOST / (parts * kinds));
    }

    /**
     * Adds a sample, if there is room for it.
     *
     * @param kind those of low kinds are shown first
     */
    void add(Sample sample, Enum<?> kind, List<Sample> answers) {
        seen++;
        List<ObjectNode> alike = byPart.computeIfAbsent(sample.part(), p -> new TreeMap<>())
                .computeIfAbsent(kind.ordinal(), k -> new ArrayList<>());
        if (alike.size() < mostOfKind) {
            kept++;
            ObjectNode json = sample.question();
            json.put("kind", kind.name());
            answers.forEach(answer -> json.withArray("answers").add(answer.shown()));
            alike.add(json);
        }
    }

    int kept() {
        return kept;
    }

    int seen() {
        return seen;
    }

    String task() {
        return task;
    }

    int mostOfKind() {
        return mostOfKind;
    }

    /** With what the prompts of a subtask have in common, such as solved examples, only once. */
    ObjectNode json() {
        ObjectNode json = MAPPER.createObjectNode().put("task", task);
        ObjectNode prefixes = json.putObject("prefixes");
        ArrayNode samples = json.putArray("samples");
        byPart.forEach((part, kinds) -> {
            List<ObjectNode> all = kinds.values().stream()
                    .flatMap(List::stream)
                    .map(ObjectNode::deepCopy)
                    .toList();
            int common = commonLines(all);
            if (common >= SHORTEST_PREFIX) {
                prefixes.put(part, prompt(all.getFirst()).substring(0, common));
                all.forEach(sample -> sample.put("prompt", prompt(sample).substring(common)));
            }
            samples.addAll(all);
        });
        return json;
    }

    private static String prompt(ObjectNode sample) {
        return sample.get("prompt").textValue();
    }

    /** How many characters all prompts begin with, up to the end of a line; 0 of a single one. */
    private static int commonLines(List<ObjectNode> samples) {
        if (samples.size() < 2) {
            return 0;
        }
        String first = prompt(samples.getFirst());
        int common = first.length();
        for (ObjectNode sample : samples) {
            String other = prompt(sample);
            int same = 0;
            while (same < Math.min(common, other.length()) && first.charAt(same) == other.charAt(same)) {
                same++;
            }
            common = same;
        }
        return first.lastIndexOf('\n', common - 1) + 1;
    }
}
