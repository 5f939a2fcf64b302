// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.score.Mean;
import java.util.Locale;
import java.util.OptionalDouble;

/** A comparison for programs. */
final class ComparisonJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ComparisonJson() {}

    static ObjectNode of(Comparison comparison) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("first", comparison.names().getFirst());
        json.put("second", comparison.names().getLast());
        json.set("settings", MAPPER.valueToTree(comparison.settings()));
        ArrayNode rows = json.putArray("scores");
        comparison.rows().forEach(row -> rows.add(row(row)));
        ObjectNode tasks = json.putObject("tasks");
        comparison.tasks().forEach(task -> tasks.set(task.name(), task(task)));
        return json;
    }

    private static ObjectNode row(Comparison.Row row) {
        Mean difference = row.scores().difference();
        ObjectNode json = MAPPER.createObjectNode();
        json.put("task", row.task());
        json.put("name", row.name());
        json.put("is_subtask", row.isPart());
        json.put("metric", row.key());
        json.put("n", row.scores().size());
        json.put("first", row.scores().firstMean());
        json.put("second", row.scores().secondMean());
        json.put("difference", difference.value());
        put(json, "difference_stderr", difference.standardError());
        json.put("better", row.scores().gained());
        json.put("worse", row.scores().lost());
        put(json, "p_mcnemar_exact", row.scores().mcNemar());
        put(json, "p_paired_z", row.scores().pairedZ());
        put(json, "p_holm", row.corrected());
        return json;
    }

    private static void put(ObjectNode json, String name, OptionalDouble value) {
        if (value.isPresent()) {
            json.put(name, value.getAsDouble());
        } else {
            json.putNull(name);
        }
    }

    private static ObjectNode task(PairedTask task) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("compared", task.compared());
        json.put("differing", task.differing());
        json.put("only_first", task.onlyFirst());
        json.put("only_second", task.onlySecond());
        ArrayNode changes = json.putArray("changed");
        for (Change change : task.changes()) {
            ObjectNode one = changes.addObject();
            one.put("subtask", change.document().part());
            one.put("doc_id", change.document().id());
            one.put("change", change.kind().name().toLowerCase(Locale.ROOT));
            one.set("metrics", MAPPER.valueToTree(change.metrics()));
            one.set("answers", MAPPER.valueToTree(change.answers()));
        }
        return json;
    }
}
