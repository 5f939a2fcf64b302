// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.infer.ChatModel;
import java.util.ArrayList;
import java.util.List;

/** A field that holds a text, several texts, a list of token ids, or several of those. */
record Prompts(ChatModel model) {
    private static final int MOST = 256;

    /** @throws ApiException if it is missing, or something else */
    List<int[]> read(Fields request, String name) {
        JsonNode given = request.get(name).orElseThrow(() -> ApiException.invalid(name, "%s is missing", name));
        List<int[]> prompts = new ArrayList<>();
        if (given.isTextual()) {
            prompts.add(encode(name, given.textValue()));
        } else if (isList(given) && given.get(0).isNumber()) {
            prompts.add(ids(name, given));
        } else if (isList(given) && given.size() <= MOST) {
            for (JsonNode one : given) {
                if (one.isTextual()) {
                    prompts.add(encode(name, one.textValue()));
                } else if (isList(one)) {
                    prompts.add(ids(name, one));
                } else {
                    throw wrong(name);
                }
            }
        } else {
            throw wrong(name);
        }
        return prompts;
    }

    private static boolean isList(JsonNode node) {
        return node.isArray() && !node.isEmpty();
    }

    private static ApiException wrong(String name) {
        return ApiException.invalid(
                name,
                "%s must be a text, token ids, or a list of at most %d of either, none of them empty",
                name,
                MOST);
    }

    private int[] encode(String name, String text) {
        int[] ids = model.chatTokenizer().document(ChatMessages.whole(text));
        if (ids.length == 0) {
            throw ApiException.invalid(name, "%s is empty", name);
        }
        return ids;
    }

    private int[] ids(String name, JsonNode list) {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = list.get(i);
            if (!id.isInt()
                    || id.intValue() < 0
                    || id.intValue() >= model.info().vocabSize()) {
                throw ApiException.invalid(name, "%s holds %s, which is no token of this model", name, id);
            }
            ids[i] = id.intValue();
        }
        return ids;
    }
}
