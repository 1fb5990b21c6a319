-- migrate:up

-- URLs of pictures uploaded here have no origin. Pictures on other servers are no longer shown, because each
-- viewer would reveal their IP address to that server.
UPDATE people SET profile_image_url = IF(
  profile_image_url LIKE '%/api/pictures/%',
  CONCAT('/api/pictures/', LEFT(SUBSTRING_INDEX(profile_image_url, '/api/pictures/', -1), 36)),
  NULL
)
WHERE profile_image_url IS NOT NULL AND profile_image_url NOT LIKE '/api/pictures/%';

-- migrate:down

-- Older code also shows these URLs.
DO 0;
