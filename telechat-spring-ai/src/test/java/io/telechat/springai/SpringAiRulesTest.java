// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.telechat.core.testing.AdapterRules;
import java.util.Set;

@AnalyzeClasses(packages = "io.telechat.springai", importOptions = ImportOption.DoNotIncludeTests.class)
class SpringAiRulesTest {
    @ArchTest
    static final ArchRule standsOnTheLibrarysPublicPackages = AdapterRules.standsOnTheLibrarysPublicPackages(
            "org.springframework..", "reactor.core..", "io.telechat.springai");

    /** All else may change with every version. */
    @ArchTest
    static final ArchRule nothingElseIsPublic = AdapterRules.nothingElseIsPublic(Set.of(
            "TelechatChatModel",
            "TelechatChatOptions",
            "TelechatChatOptions$Builder",
            "TelechatEmbeddingModel",
            "TelechatTokenCountEstimator"));
}
