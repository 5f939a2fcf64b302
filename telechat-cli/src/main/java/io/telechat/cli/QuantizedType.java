// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import java.util.Locale;

/** Types that weights can be rounded to. */
enum QuantizedType {
    Q8_0,
    Q4_0;

    DType dtype() {
        return DType.valueOf(name());
    }

    /** What is said where there are no adapters to train beside such weights. */
    InvalidRequestException untrainable() {
        return new InvalidRequestException(
                "--weights %s: quantized weights cannot be trained; add --lora-dim".formatted(this));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
