using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>One file of rows and how to read it. A path alone is enough for the usual forms: they are recognised and reported.</summary>
[Shorthand(nameof(Path))]
public sealed record DataSource
{
    /// <summary>The file.</summary>
    [Required]
    public string Path { get; init; } = "";

    /// <summary>What the file is; when not given, its name tells.</summary>
    public DataFileType? FileType { get; init; }

    /// <summary>What a row is; when not given, the fields of the first row tell.</summary>
    public RowFormat? Format { get; init; }

    /// <summary>Plain text files: what divides a line into fields, such as <c>||</c>.</summary>
    [MinLength(1)]
    public string? Separator { get; init; }

    /// <summary>Names of the fields that <see cref="Separator"/> divides a line into; prompt and completion.</summary>
    public IReadOnlyList<string>? Fields { get; init; }

    /// <summary>The prompt, with <c>{field}</c> for each field of the row (<c>{{</c> and <c>}}</c> for braces).</summary>
    public string? Prompt { get; init; }

    /// <summary>The completion, with <c>{field}</c> for each field of the row.</summary>
    public string? Completion { get; init; }

    /// <summary>The whole text of a row that has no completion, with <c>{field}</c> for each field of the row.</summary>
    public string? Text { get; init; }

    /// <summary>The field that holds the messages of a chat, if not <c>messages</c> or <c>conversations</c>.</summary>
    public string? MessagesField { get; init; }

    /// <summary>The field of a message that names the speaker, if not <c>role</c> or <c>from</c>.</summary>
    public string? RoleField { get; init; }

    /// <summary>The field of a message that holds what is said, if not <c>content</c> or <c>value</c>.</summary>
    public string? ContentField { get; init; }

    /// <summary>
    /// Whether prompt and completion become a user's and an assistant's turn of the chat template. When not given: yes for
    /// instruction/output rows where the model has a template, no for prompt/completion rows.
    /// </summary>
    public bool? AsChat { get; init; }

    /// <summary>Whether white space around each field is removed.</summary>
    public bool Strip { get; init; }

    /// <summary>Plain text files without a separator: what a row is.</summary>
    public TextUnit SplitBy { get; init; } = TextUnit.File;

    /// <summary>Rows at the beginning that are left out.</summary>
    [Range(0, int.MaxValue)]
    public int Skip { get; init; }

    /// <summary>Of the rows after <see cref="Skip"/>, the first of each group of this many is taken.</summary>
    [Range(1, int.MaxValue)]
    public int Every { get; init; } = 1;

    /// <summary>How many rows are taken at most.</summary>
    [Range(1, int.MaxValue)]
    public int? Limit { get; init; }
}
