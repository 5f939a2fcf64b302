// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.task.Score;
import java.util.List;

/**
 * What has come of a document.
 *
 * @param sample all of it, as samples are published
 */
record Scored(ObjectNode sample, List<Score> scores) {}
