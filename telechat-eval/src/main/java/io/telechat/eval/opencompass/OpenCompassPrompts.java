// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.Dialog;
import io.telechat.eval.task.Prompt.Turn;
import io.telechat.eval.task.Query.FreeAnswer;
import java.util.Optional;

/** What these tasks put to a model, for people and other programs. */
public final class OpenCompassPrompts {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private OpenCompassPrompts() {}

    /**
     * A document's prompt: {@code task}, {@code subtask}, {@code doc_id}, {@code problem_file} where each document has its own,
     * {@code messages} of {@code role} and {@code prompt}, and {@code max_out_len}, which is null for a model's usual limit.
     *
     * @param item of a task of this package
     */
    public static ObjectNode json(String task, Optional<String> subtask, Item item) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("task", task);
        json.put("subtask", subtask.orElse(null));
        json.put("doc_id", item.id());
        item.file().ifPresent(file -> json.put("problem_file", file));
        ArrayNode messages = json.putArray("messages");
        for (Turn turn : ((Dialog) item.prompt()).turns()) {
            messages.addObject().put("role", turn.speaker().name()).put("prompt", turn.text());
        }
        FreeAnswer query = (FreeAnswer) item.query();
        if (query.maxNewTokens().isPresent()) {
            json.put("max_out_len", query.maxNewTokens().getAsInt());
        } else {
            json.putNull("max_out_len");
        }
        return json;
    }
}
