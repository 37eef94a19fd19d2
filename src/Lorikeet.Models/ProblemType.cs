namespace Lorikeet.Models;

/// <summary>What a classifier's numbers mean, and with that its loss: <c>problem_type</c> of config.json.</summary>
public enum ProblemType
{
    /// <summary><c>regression</c>: they are the answer; mean squared error. Reward models are of this kind.</summary>
    Regression,

    /// <summary><c>single_label_classification</c>: the largest names the class; cross entropy.</summary>
    SingleLabel,

    /// <summary><c>multi_label_classification</c>: each says yes or no to its label; binary cross entropy of logits.</summary>
    MultiLabel,
}
