const visible = /[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}]/u;

/** Whether there is anything to see in it: neither blanks nor joiners, marks of direction and the like show anything. */
export const isVisible = (text: string): boolean => visible.test(text);
