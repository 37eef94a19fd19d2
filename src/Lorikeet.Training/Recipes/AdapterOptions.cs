using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>
/// What is trained. The method's own options (<c>r</c>, <c>lora_alpha</c>, <c>target_modules</c> …) stand beside it under the names of PEFT; the
/// method checks them.
/// </summary>
[Shorthand(nameof(Method))]
public sealed record AdapterOptions
{
    /// <summary><c>lora</c>, <c>dora</c>, <c>ia3</c>, <c>prefix</c>, <c>pfeiffer</c> … or <c>full</c> for every weight of the model.</summary>
    [Required]
    public string Method { get; init; } = "lora";

    /// <summary>The other keys of the section as they were written, with their places.</summary>
    [Rest]
    public RecipeNode Options { get; init; } = new(RecipeNodeKind.Map, default);
}
